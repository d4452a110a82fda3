//! What a running cloud is sent by somebody who does not keep to the protocol, over real TLS: each is refused with one
//! reason, and the cloud goes on serving.

use std::time::Duration;

use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use wire::limits::FRAME_BYTES_MAX;
use wire::{FromCloud, FromDevice, RefusedReason};

use crate::home::Home;

/// No answer of the cloud's takes longer.
const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn frames_of_a_wrong_version_oversized_or_cut_are_refused_and_the_cloud_goes_on() {
    let home = Home::new();
    let up = home.up();
    let devices = up.told["devices"].as_str().expect("an address").to_owned();
    let hello = FromDevice::Hello { paired: false }.encode().expect("a frame");
    let other_version = [vec![hello[0] + 1], hello[1..].to_vec()].concat();
    let cases = [
        ("wrong version", other_version, RefusedReason::Version),
        ("cut", hello[..hello.len() - 1].to_vec(), RefusedReason::Protocol),
        ("empty", Vec::new(), RefusedReason::Protocol),
        ("oversized", vec![hello[0]; FRAME_BYTES_MAX + 1], RefusedReason::Protocol),
    ];
    for (what, frame, reason) in cases {
        let answers = tokio::time::timeout(PATIENCE, send(&devices, Message::Binary(frame.into()))).await;
        let refused = FromCloud::Refused { reason }.encode().expect("a frame");
        assert_eq!(answers.unwrap_or_else(|_| panic!("{what}: no answer")), [refused], "{what}");
    }
    // What is no TLS, and what hangs up in the middle of a greeting.
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 2, 0, 1]] {
        let mut stream = TcpStream::connect(&devices).await.expect("connects");
        stream.write_all(bytes).await.expect("writes");
        stream.shutdown().await.expect("hangs up");
        let mut rest = Vec::new();
        // An end or a reset are both a refusal.
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the cloud hangs up");
    }
    let status = home.sotto(&["status", "--json"]);
    assert_eq!((status.code, &status.line()["audio_bytes_received"]), (Some(0), &0.into()), "{status:?}");
    let said = home.sotto(&["ask", "--fast", "--json", "--say", "Alexa, what time is it"]);
    assert_eq!(said.line()["intent"], "HassGetCurrentTime", "it goes on serving: {said:?}");
    assert_eq!(home.files_holding(b"panic"), Vec::<std::path::PathBuf>::new(), "nothing about a panic in any log");
}

/// Connects with a key that nobody knows, says one thing, and answers with all the frames that come back.
async fn send(devices: &str, message: Message) -> Vec<Vec<u8>> {
    let mut socket = stranger::Key::draw().connect(devices).await.expect("a WebSocket");
    // The cloud may hang up while an oversized frame is still being written.
    let _ = socket.send(message).await;
    let mut answers = Vec::new();
    while let Some(frame) = stranger::next_frame(&mut socket).await {
        answers.push(frame);
    }
    answers
}
