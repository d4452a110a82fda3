//! One turn, from the end of its request to its sealed utterance. It goes on to its end even where its device is gone,
//! unless that device was revoked: then it ends at once, and nothing is kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base::{DeviceId, LineLimit, Redacted, SampleCount, Timestamp, TurnId};
use history::{Details, Device, History, HistoryError, Intent, NewUtterance};
use speech::Pcm;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use wire::{Caption, Cause, Outcome, Slot, StreamOpen, Timing};

use crate::counters::Counters;
use crate::door::Known;
use crate::hearing::Request;
use crate::limits::CLOSE_WITHIN;
use crate::lines::log_line;
use crate::places::TurnPlace;
use crate::stages::{Answer, Stages, Timings};

/// What a turn has for its connection, in this order, each at most once.
#[derive(Debug)]
pub(crate) enum TurnEvent {
    /// Speak this.
    Reply(Pcm),
    /// Show this.
    Caption(Caption),
    /// The last word.
    Over(Outcome),
}

/// All that a turn needs of its gateway.
#[derive(Clone)]
pub(crate) struct TurnParts {
    pub(crate) stages: Arc<Stages>,
    pub(crate) history: Arc<History>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) lines: Arc<LineLimit>,
}

/// A request that was heard and is to be answered.
pub(crate) struct Turn {
    pub(crate) known: Known,
    pub(crate) open: StreamOpen,
    pub(crate) at: Timestamp,
    /// On the clock that never jumps, when the end of the request was found.
    pub(crate) ended: Duration,
    pub(crate) request: Request,
    /// The whole stream, once it is closed. Where the sender is dropped there is none, and nothing is kept.
    pub(crate) stream: oneshot::Receiver<Redacted<Vec<i16>>>,
    pub(crate) events: mpsc::Sender<(TurnId, TurnEvent)>,
    /// One of the gateway's turns; given back at the end.
    pub(crate) place: TurnPlace,
}

impl Turn {
    /// Answers, and then seals. Ends by telling the connection so, whatever happened; nothing is told where the device is
    /// revoked meanwhile.
    pub(crate) async fn run(self, parts: TurnParts) {
        let (turn, events) = (self.open.turn, self.events.clone());
        let (device, mut attendance) = (self.known.device.id, self.known.attendance.clone());
        let place = tokio::select! {
            biased;
            // What is being sealed just now is destroyed by the history itself.
            () = attendance.revoked() => {
                log_line!(parts.lines, warn, "turn.abandoned: its device was revoked; nothing is kept", %turn, %device);
                parts.counters.utterances_not_kept(1);
                count(&parts.counters, Outcome::Failed);
                return;
            }
            (outcome, place) = self.answer_and_seal(&parts) => {
                count(&parts.counters, outcome);
                // A connection that is gone, or that has another turn by now, does not want to know.
                let _ = events.send((turn, TurnEvent::Over(outcome))).await;
                place
            }
        };
        drop(place);
    }

    async fn answer_and_seal(self, parts: &TurnParts) -> (Outcome, TurnPlace) {
        let Self { known: Known { device, .. }, open, at, ended, request, stream, events, place } = self;
        let turn = open.turn;
        let tell = async |event| {
            let _ = events.send((turn, event)).await;
        };
        let mut answer = contained(&parts.stages, request, device.id).await;
        if let Some(speech) = answer.speech.take() {
            tell(TurnEvent::Reply(speech)).await;
            let first_audio = parts.stages.clock.elapsed().saturating_sub(ended);
            answer.timings.add("first_audio", first_audio);
        }
        if let Some(trouble) = &answer.trouble {
            log_line!(parts.lines, warn, "turn.failed", %turn, device = %device.id, trouble);
        }
        let utterance = utterance(&device, &open, at, &answer);
        if answer.outcome != Outcome::Failed || !answer.transcript.expose().is_empty() {
            tell(TurnEvent::Caption(caption(turn, &answer))).await;
        }
        let mut outcome = answer.outcome;
        if let Ok(Ok(pcm)) = tokio::time::timeout(CLOSE_WITHIN, stream).await {
            let utterance = NewUtterance { pcm, ..utterance };
            if let Err(error) = seal(parts, utterance).await {
                log_line!(parts.lines, error, "utterance.not_kept", %turn, device = %device.id, %error);
                outcome = Outcome::NotKept;
            }
        } else {
            let device = device.id;
            log_line!(parts.lines, warn, "utterance.cut_off: the stream was never closed; nothing is kept", %turn, %device);
            parts.counters.utterances_not_kept(1);
            outcome = Outcome::Failed;
        }
        (outcome, place)
    }
}

/// A panic in a stage is that turn's failure and nobody else's. The work ends with whoever waits for it.
async fn contained(stages: &Arc<Stages>, request: Request, device: DeviceId) -> Answer {
    struct Work(JoinHandle<Answer>);
    impl Drop for Work {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let stages = Arc::clone(stages);
    let mut work = Work(tokio::spawn(async move { stages.answer(request, device).await }));
    (&mut work.0).await.unwrap_or_else(|_| Answer::failed("a stage panicked".to_owned(), Timings::default()))
}

async fn seal(parts: &TurnParts, utterance: NewUtterance) -> Result<(), HistoryError> {
    let sealed = parts.history.seal(utterance).await;
    match &sealed {
        Ok(_) => parts.counters.utterances_sealed(1),
        Err(_) => parts.counters.utterances_not_kept(1),
    }
    sealed.map(|_| ())
}

pub(crate) fn count(counters: &Counters, outcome: Outcome) {
    match outcome {
        Outcome::Answered => counters.turns_answered(1),
        Outcome::NotUnderstood => counters.turns_not_understood(1),
        Outcome::NothingHeard => counters.turns_nothing_heard(1),
        Outcome::Failed | Outcome::NotKept => counters.turns_failed(1),
    }
}

fn utterance(device: &Device, open: &StreamOpen, at: Timestamp, answer: &Answer) -> NewUtterance {
    let cause = match &open.cause {
        Cause::Wake { word, score } => history::Cause::Wake { word: word.clone(), score: *score, onset: open.onset },
        Cause::Button => history::Cause::Button,
    };
    let slot = |(name, value): (&String, &String)| (name.clone(), Redacted::new(value.clone()));
    let intent = answer
        .meant
        .as_ref()
        .map(|meant| Intent { name: meant.intent.clone().into(), slots: meant.slots.iter().map(slot).collect() });
    let timings_ms: BTreeMap<_, _> = answer.timings.ms().map(|(stage, ms)| (stage.to_owned(), ms)).collect();
    NewUtterance {
        account: device.account,
        device: device.id,
        marketplace: device.marketplace,
        at,
        pcm: Redacted::new(Vec::new()),
        details: Details {
            cause,
            start: open.start,
            preroll: open.preroll(),
            length: SampleCount(0),
            transcript: answer.transcript.clone(),
            intent,
            reply: answer.reply.clone(),
            timings_ms,
        },
    }
}

fn caption(turn: TurnId, answer: &Answer) -> Caption {
    let slot = |(name, value): (&String, &String)| Slot { name: name.clone(), value: value.clone().into() };
    Caption {
        turn,
        transcript: answer.transcript.clone(),
        intent: answer.meant.as_ref().map(|meant| meant.intent.clone()).unwrap_or_default(),
        slots: answer.meant.iter().flat_map(|meant| &meant.slots).map(slot).collect(),
        reply: answer.reply.clone(),
        timings: answer.timings.ms().map(|(stage, ms)| Timing { stage: stage.to_owned(), ms: ms as f32 }).collect(),
    }
}
