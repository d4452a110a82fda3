//! What wildcards hold: all that was said there, and nothing that was said to the assistant.

use sense::Sense;

use crate::check_all;

const FREE: &str = "
language: en
intents:
  Add: {data: [{sentences: ['add {item} to my list', '{item} on my list']}]}
  Play: {data: [{sentences: ['play {title} [in the {room}]']}]}
  Tell: {data: [{sentences: ['(tell|text) {who} [that] {message}']}]}
  Note: {data: [{sentences: ['note {text}']}]}
lists:
  item: {wildcard: true}
  title: {wildcard: true}
  text: {wildcard: true}
  message: {wildcard: true}
  who: {values: [mom, the office]}
  room: {values: [kitchen]}
";

#[test]
fn free_text_keeps_every_word_that_was_said() {
    let sense = Sense::from_texts(&[("home.yaml", FREE)]).expect("the file is good");
    for (said, expected) in [
        ("add thank you cards to my list", "Add item=thank you cards"),
        ("Alexa, add an Echo Dot and please stickers to my list", "Add item=an Echo Dot and please stickers"),
        ("add computer paper to my list", "Add item=computer paper"),
        ("add so many well made things to my um list", "Add item=so many well made things"),
        ("okay computer on my list", "Add item=okay computer"),
        ("play just dance", "Play title=just dance"),
        ("play hello", "Play title=hello"),
        ("play so what", "Play title=so what"),
        ("play please please me", "Play title=please please me"),
        ("play please", "Play title=please"),
        ("Alexa, play Computer Love", "Play title=Computer Love"),
        ("play songs by Amazon", "Play title=songs by Amazon"),
        ("play ok computer in the kitchen", "Play room=kitchen title=ok computer"),
        ("play hotel california (live)", "Play title=hotel california (live)"),
        ("play (everything i do) i do it for you", "Play title=(everything i do) i do it for you"),
        ("play help [remastered] in the kitchen", "Play room=kitchen title=help [remastered]"),
        ("tell mom that i am so happy and well thank you", "Tell message=i am so happy and well thank you who=mom"),
        ("note say hi to echo and then just stop", "Note text=say hi to echo and then just stop"),
        (
            "text the office i will be late, actually, very late",
            "Tell message=i will be late, actually, very late who=the office",
        ),
    ] {
        check_all(&sense, expected, &[said]);
    }
}

#[test]
fn what_is_said_to_the_assistant_is_no_part_of_free_text() {
    let sense = Sense::from_texts(&[("home.yaml", FREE)]).expect("the file is good");
    check_all(
        &sense,
        "Play title=thriller",
        &[
            "Alexa, play thriller",
            "play thriller please",
            "Play thriller, please.",
            "Play thriller, thank you.",
            "Play thriller, Alexa.",
            "Could you please play thriller, please?",
            "[BLANK_AUDIO] Hey Alexa, play thriller. (door closes)",
            "play thriller [Music]",
            "Play thriller. Play thriller.",
        ],
    );
    check_all(&sense, "Add item=milk", &["Um, add milk to my list, thanks", "please add milk to my uh list please"]);
}
