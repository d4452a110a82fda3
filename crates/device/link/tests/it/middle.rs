//! Somebody between the device and its cloud: keys of their own towards both sides, everything else passed on.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::accept_async;

use crate::cloud::{Identity, acceptor};

pub(crate) struct Middle {
    pub(crate) address: String,
    _runtime: tokio::runtime::Runtime,
}

impl Middle {
    pub(crate) fn between(cloud: String) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(relay(tcp, cloud.clone()));
            }
        });
        Self { address, _runtime: runtime }
    }
}

/// A network that passes everything on until it is told to stand still.
pub(crate) struct TarPit {
    pub(crate) address: String,
    pub(crate) stands_still: tokio::sync::watch::Sender<bool>,
    _runtime: tokio::runtime::Runtime,
}

impl TarPit {
    pub(crate) fn before(cloud: String) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(async {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.set_recv_buffer_size(4_096).expect("small");
            socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
            socket.listen(8).expect("listening")
        });
        let address = listener.local_addr().expect("bound").to_string();
        let (stands_still, watched) = tokio::sync::watch::channel(false);
        runtime.spawn(async move {
            while let Ok((device, _)) = listener.accept().await {
                let (cloud, mut watched) = (cloud.clone(), watched.clone());
                tokio::spawn(async move {
                    let cloud = TcpStream::connect(cloud).await.ok()?;
                    let (mut from_device, mut to_device) = device.into_split();
                    let (mut from_cloud, mut to_cloud) = cloud.into_split();
                    let back = tokio::spawn(async move { tokio::io::copy(&mut from_cloud, &mut to_device).await });
                    tokio::select! {
                        _ = tokio::io::copy(&mut from_device, &mut to_cloud) => {}
                        () = async { drop(watched.wait_for(|stands_still| *stands_still).await) } => {
                            // Both ends stay open, and nothing is read, until the test is over.
                            let _ = back.await;
                        }
                    }
                    Some(())
                });
            }
        });
        Self { address, stands_still, _runtime: runtime }
    }
}

async fn relay(tcp: TcpStream, cloud: String) -> Option<()> {
    let tls = acceptor(&Identity::draw()).accept(tcp).await.ok()?;
    let device = accept_async(tls).await.ok()?;
    let cloud = stranger::Key::draw().connect(cloud).await.ok()?;
    let ((mut to_device, mut from_device), (mut to_cloud, mut from_cloud)) = (device.split(), cloud.split());
    loop {
        tokio::select! {
            message = from_device.next() => to_cloud.send(message?.ok()?).await.ok()?,
            message = from_cloud.next() => to_device.send(message?.ok()?).await.ok()?,
        }
    }
}
