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
    // The second may have taken the first one's place before it was begun.
    let mut reports = Vec::new();
    while reports.last() != Some(&Report::Done(2)) {
        reports.push(received.blocking_recv().expect("a report"));
    }
    assert!(reports == [Report::Started(1), Report::Done(1), Report::Done(2)] || reports == [Report::Done(2)]);
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

#[test]
fn i1_what_is_told_to_stop_says_when_it_is_silent_however_much_was_queued() {
    let (reports, mut received) = mpsc::channel(16);
    let mut speaker = Speaker::start(args::Speaker::Nowhere, true, reports).expect("started");
    let voice = speaker.begin(8_000);
    assert!((0..1_000).all(|_| speaker.push(vec![0; 240].into())));
    speaker.stop();
    while received.blocking_recv().expect("a report") != Report::Done(voice) {}
}

/// A voice that pauses is heard as long as its sound lasts, counted from when it came.
#[test]
fn i1_sound_that_comes_late_is_still_heard_in_full() {
    let mut sink = file::Replies::new(None, true);
    sink.start(16_000).expect("begun");
    let came = Instant::now().checked_sub(Duration::from_secs(15)).expect("it runs for so long");
    sink.push_at(&[0; 16_000], came);
    sink.push_at(&[0; 160_000], Instant::now());
    assert!(sink.left() > Duration::from_secs(9), "i1: {:?} left of ten seconds", sink.left());
}
