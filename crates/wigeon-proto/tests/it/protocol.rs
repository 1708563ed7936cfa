//! The commands that PROTOCOL.md shows are commands: whoever copies one gets an answer and no `bad_request`.

use wigeon_proto::command::{Command, Request};

#[test]
fn every_command_in_the_protocol_can_be_read() {
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../PROTOCOL.md");
    let text = std::fs::read_to_string(document).unwrap();
    let shown: Vec<&str> = text.lines().filter(|line| line.starts_with(r#"{"id":"#)).collect();
    let commands: Vec<&str> = shown.into_iter().filter(|line| line.contains(r#""type":"#)).collect();
    let durable = |line: &&&str| matches!(Request::decode(line).unwrap().command, Command::Durable(_));
    assert!(commands.iter().filter(durable).count() >= 13, "there is one of each kind");
}
