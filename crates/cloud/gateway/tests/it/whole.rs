//! The whole, with the real recogniser: synthetic speech anywhere, human recordings where they are.

use std::sync::Arc;

use speech::WhisperRecognizer;
use wire::Outcome;

use crate::cloud::{Choice, Cloud, model_dir};
use crate::device::{Heard, Key};
use crate::sounds::{PREROLL, in_a_room, say};

async fn turn(cloud: &Cloud, pcm: &[i16]) -> Heard {
    let heard = Key::new().pair(cloud).await.turn(1, PREROLL as u64, pcm).await;
    for stage in ["endpoint_wait", "recognise", "understand", "answer", "synthesise", "first_audio"] {
        eprintln!("{stage}: {:.1} ms", heard.timing(stage).unwrap_or_default());
    }
    heard
}

async fn cloud() -> Option<Cloud> {
    let dir = model_dir("whisper-tiny-en")?;
    let whisper = WhisperRecognizer::load(&dir.join("whisper-tiny-en")).expect("the model is whole");
    Cloud::start(Choice { recognizer: Arc::new(whisper), ..Choice::hearing(crate::turns::Says("")) }).await
}

#[tokio::test]
async fn a_synthetic_voice_asks_for_the_time() {
    let Some(cloud) = cloud().await else { return };
    let heard = turn(&cloud, &say("Alexa, what time is it?")).await;
    assert!(heard.transcript().contains("what time is it"), "something else was heard");
    assert_eq!(heard.outcome, Some(Outcome::Answered));
}

#[tokio::test]
async fn another_voice_and_a_person_ask_for_the_time() {
    for clip in test_speech::requests() {
        let Some(cloud) = cloud().await else { return };
        let heard = turn(&cloud, &in_a_room(&clip.pcm)).await;
        assert!(heard.transcript().contains("what time is it"), "something else was heard of {}", clip.name);
        assert_eq!(heard.outcome, Some(Outcome::Answered), "{}", clip.name);
    }
}
