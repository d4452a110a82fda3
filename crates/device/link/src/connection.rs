//! One connection to the cloud: TCP, TLS, WebSocket, in a task of its own. It knows nothing of what the frames say.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use wire::limits::FRAME_BYTES_MAX;
use wire::pairing::{Binding, EXPORTER_LABEL};

use crate::error::LinkError;
use crate::socket::Socket;
use crate::tls;
use crate::wipe::WipedReads;

/// From the first packet to a WebSocket.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long the network may take for one frame.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// Frames that wait for the network: a whole stream of 15 s (188) and its reply's end.
const OUTGOING_MAX: usize = 256;

/// What the kernel may hold of what was "sent": a second of sound. More would hide a network that stands still.
const SEND_BUFFER_BYTES: u32 = 32_768;

/// What of the cloud's words is read in one go: little, so that a caption's memory is given back, and wiped, with the next
/// frame of a reply and not with the end of the connection.
const READ_BUFFER_BYTES: usize = 1_024;

/// The name in the TLS greeting: the same for every cloud, so that it says nothing.
const SERVER_NAME: &str = "sotto-cloud";

/// What a connection reports, with its number.
#[derive(Debug)]
pub(crate) enum FromNet {
    /// It is up.
    Up { binding: Binding, socket: Socket },
    /// So many frames were handed to the kernel since it came up.
    Written(u64),
    /// A frame came.
    Frame(Vec<u8>),
    /// It is down, or never came up. Nothing follows.
    Down(LinkError),
}

/// A connection; ends with this value.
#[derive(Debug)]
pub(crate) struct Connection {
    number: u32,
    outgoing: mpsc::Sender<Vec<u8>>,
    queued: u64,
    task: AbortHandle,
    /// The kernel's side of it, once it is up.
    socket: Option<Socket>,
}

/// Where to, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) cloud: String,
    pub(crate) tls: Arc<ClientConfig>,
    /// The fingerprint of this device's key.
    pub(crate) device_key: [u8; 32],
}

impl Connection {
    /// Starts to connect. Reports go to `reports` under `number`.
    pub(crate) fn start(number: u32, target: Target, reports: mpsc::Sender<(u32, FromNet)>) -> Self {
        let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
        let task = tokio::spawn(async move {
            let error = match run(number, &target, queue, &reports).await {
                Ok(never) => match never {},
                Err(error) => error,
            };
            // Nobody listens any more: the process is ending.
            let _ = reports.send((number, FromNet::Down(error))).await;
        });
        Self { number, outgoing, queued: 0, task: task.abort_handle(), socket: None }
    }

    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// Queues a frame; `false` where the network has taken none for so long that the queue is full.
    pub(crate) fn send(&mut self, frame: Vec<u8>) -> bool {
        let is_queued = self.outgoing.try_send(frame).is_ok();
        self.queued += u64::from(is_queued);
        is_queued
    }

    /// How many frames were queued: once [`FromNet::Written`] says as many, all of them are with the kernel.
    pub(crate) const fn queued(&self) -> u64 {
        self.queued
    }

    /// It is up: its socket can be asked and reset from here on.
    pub(crate) fn attach(&mut self, socket: Socket) {
        self.socket = Some(socket);
    }

    /// Whether nothing that was written waits in the kernel to be sent. What cannot be asked counts as waiting.
    pub(crate) fn is_sent(&self) -> bool {
        self.socket.as_ref().is_some_and(|socket| matches!(socket.unsent(), Ok(0)))
    }

    /// Whether all that was written has arrived, so that nothing of it can be sent once more.
    pub(crate) fn has_arrived(&self) -> bool {
        self.socket.as_ref().is_none_or(|socket| matches!(socket.unacknowledged(), Ok(0)))
    }

    /// Ends it this instant; what is queued, here or in the kernel, is thrown away. Nothing more leaves once this returns.
    ///
    /// # Errors
    /// [`LinkError::Reset`]: the process must end, and the connection with it.
    pub(crate) fn reset(self) -> Result<(), LinkError> {
        self.socket.as_ref().map_or(Ok(()), Socket::reset).map_err(LinkError::Reset)
    }
}

impl Drop for Connection {
    /// What is queued is thrown away with it.
    fn drop(&mut self) {
        self.task.abort();
        if let Some(socket) = &self.socket {
            // One that cannot be reset is closed in an instant, with the task, and does not linger.
            let _ = socket.reset();
        }
    }
}

enum Never {}

async fn run(
    number: u32,
    target: &Target,
    queue: mpsc::Receiver<Vec<u8>>,
    reports: &mpsc::Sender<(u32, FromNet)>,
) -> Result<Never, LinkError> {
    let (websocket, binding) = timeout(CONNECT_WITHIN, connect(target)).await.map_err(|_| LinkError::Slow)??;
    let (WipedReads(tcp), _) = websocket.get_ref().get_ref();
    let socket = Socket::of(tcp).map_err(LinkError::Unreachable)?;
    reports.send((number, FromNet::Up { binding, socket })).await.map_err(|_| LinkError::Closed)?;
    let (sink, stream) = websocket.split();
    tokio::select! {
        ended = write(number, sink, queue, reports) => ended,
        ended = read(number, stream, reports) => ended,
    }
}

async fn connect(target: &Target) -> Result<(WebSocketStream<TlsStream<WipedReads<TcpStream>>>, Binding), LinkError> {
    let tcp = dial(&target.cloud).await.map_err(LinkError::Unreachable)?;
    let name = ServerName::try_from(SERVER_NAME).map_err(|error| LinkError::Key(error.to_string()))?;
    let tls = TlsConnector::from(Arc::clone(&target.tls)).connect(name, WipedReads(tcp)).await.map_err(tls_error)?;
    let (_, session) = tls.get_ref();
    let failed = |source| LinkError::Tls(io::Error::other(source));
    let certificate = session
        .peer_certificates()
        .and_then(<[_]>::first)
        .ok_or_else(|| failed(rustls::Error::NoCertificatesPresented))?;
    let binding = Binding {
        exporter: session.export_keying_material([0; 32], EXPORTER_LABEL, None).map_err(failed)?,
        device_key: target.device_key,
        cloud_key: tls::fingerprint(certificate).map_err(failed)?,
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let (socket, _) = client_async_with_config(format!("wss://{SERVER_NAME}/device"), tls, Some(config))
        .await
        .map_err(websocket_error)?;
    Ok((socket, binding))
}

/// Connects to the first of the cloud's addresses that answers.
async fn dial(cloud: &str) -> io::Result<TcpStream> {
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host(cloud).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Eighty milliseconds of sound shall not wait for the next eighty.
        socket.set_nodelay(true)?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        // What is unsent when the connection is given up is thrown away, and not sent later by the kernel.
        socket.set_zero_linger()?;
        match socket.connect(address).await {
            Ok(tcp) => return Ok(tcp),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn write(
    number: u32,
    mut sink: futures_util::stream::SplitSink<WebSocketStream<TlsStream<WipedReads<TcpStream>>>, Message>,
    mut queue: mpsc::Receiver<Vec<u8>>,
    reports: &mpsc::Sender<(u32, FromNet)>,
) -> Result<Never, LinkError> {
    let mut written = 0;
    loop {
        let frame = queue.recv().await.ok_or(LinkError::Closed)?;
        timeout(WRITE_WITHIN, sink.send(Message::binary(frame)))
            .await
            .map_err(|_| LinkError::Slow)?
            .map_err(websocket_error)?;
        written += 1;
        reports.send((number, FromNet::Written(written))).await.map_err(|_| LinkError::Closed)?;
    }
}

async fn read(
    number: u32,
    mut stream: futures_util::stream::SplitStream<WebSocketStream<TlsStream<WipedReads<TcpStream>>>>,
    reports: &mpsc::Sender<(u32, FromNet)>,
) -> Result<Never, LinkError> {
    loop {
        let message = stream.next().await.ok_or(LinkError::Closed)?.map_err(websocket_error)?;
        let frame = match message {
            Message::Binary(frame) => frame,
            Message::Close(_) => return Err(LinkError::Closed),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Text(_) | Message::Frame(_) => {
                return Err(wire::SessionError::from(wire::FrameError::NotBinary).into());
            }
        };
        reports.send((number, FromNet::Frame(frame.into()))).await.map_err(|_| LinkError::Closed)?;
    }
}

fn tls_error(error: io::Error) -> LinkError {
    let refused = rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if inner == Some(&refused) { LinkError::AnotherKey } else { LinkError::Tls(error) }
}

fn websocket_error(error: WsError) -> LinkError {
    match error {
        WsError::ConnectionClosed | WsError::AlreadyClosed => LinkError::Closed,
        error => LinkError::WebSocket(Box::new(error)),
    }
}
