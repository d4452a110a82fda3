//! What a person at the device is told of the cloud.

use crate::cloud::Cloud;
use crate::device::{Device, models};

#[test]
fn a_wrong_code_an_unpaired_device_and_a_cloud_that_is_away_look_different() {
    let Some(models) = models() else { return };
    let cloud = Cloud::start();
    let start = |cloud: &str| Device::start_before(tempfile::tempdir().expect("a folder"), &models, "stdin", cloud);
    let shown = |device: &Device, state: &str| {
        device.wait_for("\"event\":\"standing\"", 1);
        device.wait_for(&format!("\"state\":\"{state}\""), 1);
    };
    let mut device = start(&cloud.address());
    shown(&device, "unpaired");
    device.pair("000000");
    shown(&device, "no_code");
    cloud.show("042137");
    device.pair("000000");
    shown(&device, "wrong_code");
    device.pair("042137");
    device.wait_for("\"paired\"", 1);
    shown(&device, "no_microphone");
    device.launcher.stdin.take();
    device.end();
    // A pairing to nowhere: and no address in what is said of it (I9).
    let device = start("127.0.0.1:9");
    device.pair("042137");
    shown(&device, "pairing_cut_off");
    let failed = device.events().into_iter().find(|line| line.contains("\"pairing_failed\"")).expect("told");
    assert!(!failed.contains("127.0.0.1"), "i9: {failed}");
}
