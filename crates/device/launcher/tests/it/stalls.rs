//! A network that stands still and comes back: what leaves the device, and when.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rustix::net::{AddressFamily, SocketType, sockopt};
use rustix::process::{Signal, kill_process};

use crate::cloud::{Cloud, Manner};
use crate::device::{Device, models};
use crate::room::{Room, quiet};

const CODE: &str = "042137";

/// A network between a device and its cloud, with little room of its own.
struct Network {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    stands_still: AtomicBool,
    /// The device's connections, the latest last, each with what came over it so far.
    connections: Mutex<Vec<Arc<Connection>>>,
    moves: Condvar,
    moving: Mutex<()>,
}

struct Connection {
    device: TcpStream,
    n_bytes: Mutex<(usize, bool)>,
    grows: Condvar,
}

impl Network {
    fn before(cloud: &Cloud) -> Self {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        // Small, so that what the device cannot get rid of stays with the device.
        sockopt::set_socket_recv_buffer_size(&socket, 4_096).expect("small");
        let any: std::net::SocketAddr = "127.0.0.1:0".parse().expect("an address");
        rustix::net::bind(&socket, &any).expect("a port");
        rustix::net::listen(&socket, 8).expect("listens");
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().expect("bound").to_string();
        let shared = Arc::new(Shared::default());
        let (cloud, network) = (cloud.address, Arc::clone(&shared));
        std::thread::spawn(move || {
            while let Ok((device, _)) = listener.accept() {
                let Ok(cloud) = TcpStream::connect(cloud) else { continue };
                network.join(device, cloud);
            }
        });
        Self { address, shared }
    }

    fn stand_still(&self, stands_still: bool) {
        self.shared.stands_still.store(stands_still, Ordering::SeqCst);
        let _moving = self.shared.moving.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.moves.notify_all();
    }

    /// The connection that the device has now.
    fn connection(&self) -> Arc<Connection> {
        let connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(connections.last().expect("a connection"))
    }
}

impl Shared {
    fn join(self: &Arc<Self>, device: TcpStream, cloud: TcpStream) {
        let clone = |stream: &TcpStream| stream.try_clone().expect("a handle");
        let connection =
            Arc::new(Connection { device: clone(&device), n_bytes: Mutex::default(), grows: Condvar::new() });
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&connection));
        let (mut back_from, mut back_to) = (clone(&cloud), clone(&device));
        std::thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
        let (mut device, mut cloud, network) = (device, cloud, Arc::clone(self));
        std::thread::spawn(move || {
            let mut bytes = [0; 2_048];
            loop {
                network.wait_until_it_moves();
                let count = device.read(&mut bytes).unwrap_or(0);
                let mut n_bytes = connection.n_bytes.lock().unwrap_or_else(PoisonError::into_inner);
                n_bytes.0 += count;
                n_bytes.1 |= count == 0;
                connection.grows.notify_all();
                drop(n_bytes);
                if count == 0 || cloud.write_all(&bytes[..count]).is_err() {
                    // The cloud learns of it too.
                    let _ = cloud.shutdown(Shutdown::Both);
                    return;
                }
            }
        });
    }

    fn wait_until_it_moves(&self) {
        let mut moving = self.moving.lock().unwrap_or_else(PoisonError::into_inner);
        while self.stands_still.load(Ordering::SeqCst) {
            moving = self.moves.wait(moving).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Connection {
    /// Bytes that have left the device: those that were read, and those that wait on our side of the network.
    fn n_left(&self) -> usize {
        let n_bytes = self.n_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = rustix::io::ioctl_fionread(&self.device).expect("asked");
        n_bytes.0 + usize::try_from(waiting).expect("small")
    }

    /// All the bytes that came before the connection ended.
    fn n_at_its_end(&self) -> usize {
        let mut n_bytes = self.n_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        while !n_bytes.1 {
            let patience = std::time::Duration::from_secs(60);
            let (next, late) = self.grows.wait_timeout(n_bytes, patience).unwrap_or_else(PoisonError::into_inner);
            assert!(!late.timed_out(), "i2: the connection lives after the microphones were turned off");
            n_bytes = next;
        }
        n_bytes.0
    }
}

/// Speech into a network that stands still, so many pieces of 80 ms; then the microphones are turned off, and the light is
/// red; then the network comes back.
fn leaves_under_the_red_light(n_pieces: usize, is_link_hung: bool) {
    let Some(models) = models() else { return };
    let cloud = Cloud::start();
    cloud.show(CODE);
    cloud.state().manner = Manner::Listens;
    let network = Network::before(&cloud);
    let folder = tempfile::tempdir().expect("a folder");
    let mut device = Device::start_before(folder, &models, "stdin", &network.address);
    device.wait_for("\"state\":\"unpaired\"", 1);
    device.pair(CODE);
    device.wait_for("\"state\":\"online\"", 1);
    device.wait_for("\"process\":\"mic\"", 1);
    let mut room = Room::around(&mut device);
    room.hear(&quiet(16_000));
    device.press("press");
    room.hear_silence_until("an open gate", || device.count("\"gate_open\"") == 1);
    room.hear_silence_until("a stream at the cloud", || cloud.state().n_streams == 1);
    let connection = network.connection();
    network.stand_still(true);
    room.hear(&quiet(n_pieces * 1_280));
    if is_link_hung {
        kill_process(device.child("sotto-link"), Signal::STOP).expect("it lives");
    }
    device.press("mic off");
    device.wait_for("\"state\":\"mic_off\"", 1);
    let at_red = connection.n_left();
    network.stand_still(false);
    let at_its_end = connection.n_at_its_end();
    let too_many = at_its_end.saturating_sub(at_red);
    assert_eq!(too_many, 0, "i2: so many bytes have left under the red light");
    assert!(device.count("\"restart\"") <= usize::from(is_link_hung), "{:#?}", device.events());
}

/// What the kernel takes at once, and more than it takes.
#[test]
fn i2_stall_mic_off_resume_zero_bytes_after_red() {
    for n_pieces in [15, 60] {
        leaves_under_the_red_light(n_pieces, false);
    }
}

#[test]
fn i2_not_even_from_a_link_that_hangs() {
    leaves_under_the_red_light(15, true);
}
