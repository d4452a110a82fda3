use super::*;

/// A sink's file after one voice, through the thread itself.
#[test]
fn replies_go_to_numbered_files_at_their_own_rate() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("reply.wav");
    let (reports, mut received) = mpsc::channel(16);
    let mut speaker = Speaker::start(args::Speaker::File(path.clone()), false, reports).expect("started");
    for (voice, name) in [(1, "reply.wav"), (2, "reply-2.wav")] {
        assert_eq!(speaker.begin(22_050), voice);
        speaker.push(vec![100; 500].into());
        speaker.push(vec![-100; 500].into());
        speaker.end();
        assert_eq!(received.blocking_recv(), Some(Report::Started(voice)));
        assert_eq!(received.blocking_recv(), Some(Report::Done(voice)));
        let bytes = std::fs::read(folder.path().join(name)).expect("written");
        assert_eq!(bytes.len(), sound::WAV_HEADER_BYTES + 2_000);
        assert_eq!(bytes[24..28], 22_050_u32.to_le_bytes());
    }
    let mut names: Vec<_> =
        std::fs::read_dir(folder.path()).expect("listed").flatten().map(|it| it.file_name()).collect();
    names.sort();
    assert_eq!(names, ["reply-2.wav", "reply.wav"]);
}

#[test]
fn a_paced_voice_lasts_as_long_as_its_samples() {
    let (reports, mut received) = mpsc::channel(16);
    let mut speaker = Speaker::start(args::Speaker::Nowhere, true, reports).expect("started");
    let began = Instant::now();
    speaker.begin(16_000);
    speaker.push(vec![0; 3_200].into());
    speaker.end();
    assert_eq!(received.blocking_recv(), Some(Report::Started(1)));
    assert_eq!(received.blocking_recv(), Some(Report::Done(1)));
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[test]
fn another_voice_silences_the_one_before() {
    let (reports, mut received) = mpsc::channel(16);
    let mut speaker = Speaker::start(args::Speaker::Nowhere, true, reports).expect("started");
    speaker.begin(16_000);
    speaker.push(vec![0; 16_000 * 30].into());
    speaker.end();
    speaker.begin(16_000);
    speaker.end();
    for want in [Report::Started(1), Report::Done(1), Report::Done(2)] {
        assert_eq!(received.blocking_recv(), Some(want));
    }
}

#[test]
fn a_file_that_cannot_be_written_is_one_line_and_no_half_file() {
    let (reports, mut received) = mpsc::channel(16);
    let path = "/nonexistent/reply.wav".into();
    let mut speaker = Speaker::start(args::Speaker::File(path), false, reports).expect("started");
    speaker.begin(16_000);
    speaker.push(vec![1; 10].into());
    speaker.end();
    assert_eq!(received.blocking_recv(), Some(Report::Started(1)));
    let Some(Report::Failed(complaint)) = received.blocking_recv() else { panic!("no complaint") };
    assert!(complaint.starts_with("/nonexistent/reply.wav: "), "{complaint}");
    assert_eq!(received.blocking_recv(), Some(Report::Done(1)));
}
