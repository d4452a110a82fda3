//! `sotto understand`: what sentences mean, without a device or a cloud.

use std::path::PathBuf;

use clap::Args;
use sense::Sense;

use crate::failure::Failure;

/// Tells what sentences mean.
#[derive(Args, Debug)]
pub(crate) struct UnderstandArgs {
    /// A folder of your own sentences (hassil YAML), besides Sotto's
    #[arg(long, value_name = "DIR")]
    sentences: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Sentences, each in quotes
    #[arg(required = true, value_name = "TEXT")]
    texts: Vec<String>,
}

/// Prints the intent and slots of each text in turn. The answer is no where one of them was not understood.
pub(crate) fn run(args: &UnderstandArgs) -> Result<(), Failure> {
    let sense = match &args.sentences {
        Some(dir) => Sense::load_dir(dir).map_err(|why| Failure::usage(why.to_string()))?,
        None => Sense::builtin(),
    };
    let mut missed = 0;
    for text in &args.texts {
        let (line, understood) = understand(&sense, text, args.json);
        crate::print_line(&line)?;
        missed += usize::from(!understood);
    }
    match missed {
        0 => Ok(()),
        _ => Err(Failure::no(format!("{missed} of {} not understood", args.texts.len()))),
    }
}

fn understand(sense: &Sense, text: &str, json: bool) -> (String, bool) {
    let understood = sense.understand(text);
    let found = understood.is_some();
    let (intent, slots, confidence) = understood.map_or_else(Default::default, |understood| {
        (Some(understood.intent), understood.slots, f64::from(understood.confidence))
    });
    if json {
        let confidence = (confidence * 1_000.0).round() / 1_000.0;
        let line = serde_json::json!({ "text": text, "intent": intent, "slots": slots, "confidence": confidence });
        return (line.to_string(), found);
    }
    let Some(intent) = intent else {
        return (format!("{text}: not understood"), found);
    };
    let slots: String = slots.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    (format!("{text}: {intent}{slots}"), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_json_has_text_intent_slots_and_confidence() {
        let sense = Sense::builtin();
        let line = |text| understand(&sense, text, true).0;
        assert_eq!(
            line("Alexa, what's the date?"),
            r#"{"confidence":1.0,"intent":"HassGetCurrentDate","slots":{"ask":"date"},"text":"Alexa, what's the date?"}"#
        );
        assert_eq!(line("turn it up"), r#"{"confidence":0.0,"intent":null,"slots":{},"text":"turn it up"}"#);
    }

    #[test]
    fn a_line_of_text_says_whether_it_was_understood() {
        let sense = Sense::builtin();
        let day = ("what day is tomorrow: HassGetCurrentDate ask=day day=tomorrow".to_owned(), true);
        assert_eq!(understand(&sense, "what day is tomorrow", false), day);
        assert_eq!(understand(&sense, "turn it up", false), ("turn it up: not understood".to_owned(), false));
    }
}
