use super::*;

fn entropy(seed: u8) -> Entropy {
    Zeroizing::new([seed; BINDING_BYTES])
}

fn binding() -> Binding {
    Binding { exporter: [1; 32], device_key: [2; 32], cloud_key: [3; 32] }
}

/// Runs an exchange to its end: what the cloud found, and then what the device found.
fn exchange(
    device: (&str, Binding),
    cloud: (&str, Binding),
) -> (Result<Mac, PairingError>, Option<Result<(), PairingError>>) {
    let (device_code, cloud_code) = (device.0.parse().expect("digits"), cloud.0.parse().expect("digits"));
    let (start, to_cloud) = DeviceStart::new(&device_code, device.1, &entropy(10));
    let (waiting, to_device) = CloudStart::new(&cloud_code, cloud.1, &entropy(20), &to_cloud).expect("a point");
    let (confirm, mac) = start.confirm(&to_device).expect("a point");
    let found = waiting.verify(&mac, CountedTry { tries_left: 4 });
    (found, found.ok().map(|mac| confirm.verify(&mac)))
}

#[test]
fn the_same_code_on_one_connection_proves_both_sides() {
    let (cloud, device) = exchange(("123456", binding()), ("123456", binding()));
    assert!(cloud.is_ok());
    assert_eq!(device, Some(Ok(())));
}

#[test]
fn another_code_proves_nothing() {
    assert_eq!(exchange(("123456", binding()), ("123457", binding())), (Err(PairingError::Mismatch), None));
}

#[test]
fn somebody_between_has_another_exporter_or_another_certificate() {
    for other in [
        Binding { exporter: [9; 32], ..binding() },
        Binding { device_key: [9; 32], ..binding() },
        Binding { cloud_key: [9; 32], ..binding() },
        Binding { device_key: binding().cloud_key, cloud_key: binding().device_key, ..binding() },
    ] {
        assert_eq!(
            exchange(("123456", other), ("123456", binding())),
            (Err(PairingError::Mismatch), None),
            "{other:?}"
        );
    }
}

#[test]
fn neither_proof_serves_as_the_other() {
    let code = "000001".parse().expect("digits");
    let (start, to_cloud) = DeviceStart::new(&code, binding(), &entropy(1));
    let (waiting, to_device) = CloudStart::new(&code, binding(), &entropy(2), &to_cloud).expect("a point");
    let (confirm, mac) = start.confirm(&to_device).expect("a point");
    assert_eq!(confirm.verify(&mac), Err(PairingError::Mismatch), "the device's own proof, sent back to it");
    assert_ne!(waiting.verify(&mac, CountedTry { tries_left: 4 }), Ok(mac));
}

#[test]
fn a_half_that_is_no_point_or_from_the_wrong_side_is_malformed() {
    let code = "000001".parse().expect("digits");
    let (_, own) = DeviceStart::new(&code, binding(), &entropy(1));
    let mirrored = CloudStart::new(&code, binding(), &entropy(2), &own).expect("a point").1;
    assert_eq!(CloudStart::new(&code, binding(), &entropy(2), &mirrored).err(), Some(PairingError::Malformed));
    // No point of the curve has y = 2.
    let mut no_point = [0; 33];
    (no_point[0], no_point[1]) = (0x41, 2);
    assert_eq!(CloudStart::new(&code, binding(), &entropy(2), &no_point).err(), Some(PairingError::Malformed));
    let (start, _) = DeviceStart::new(&code, binding(), &entropy(1));
    assert_eq!(start.confirm(&own).err(), Some(PairingError::Malformed));
}

#[test]
fn the_confirmations_are_settled() {
    let (device, cloud) = confirmations(&[7; 32], &binding());
    insta::assert_snapshot!(format!("{device:02x?}\n{cloud:02x?}"));
}

#[test]
fn a_code_is_six_digits_however_they_are_grouped_and_never_printed() {
    for text in ["042137", "042 137", "042-137", " 0 4 2 1 3 7 "] {
        assert_eq!(text.parse::<PairingCode>().map(|code| code.expose().to_owned()), Ok("042137".to_owned()));
    }
    for text in ["", "12345", "1234567", "12345a", "１２３４５６", "12 34 5"] {
        assert_eq!(text.parse::<PairingCode>(), Err(NotACode), "{text}");
    }
    assert_eq!(PairingCode::from_number(42_137).expose(), "042137");
    assert_eq!(PairingCode::from_number(PairingCode::COUNT).expose(), "000000");
    assert_eq!(format!("{:?}", PairingCode::from_number(42_137)), "PairingCode([redacted])");
}
