//! A connection to NATS by hand, for what no node would say or ask.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

pub(crate) struct Hand {
    connection: BufReader<TcpStream>,
    asked: usize,
}

impl Hand {
    pub(crate) fn to(port: u16) -> Self {
        let connection = TcpStream::connect(("127.0.0.1", port)).expect("NATS listens");
        let mut hand = Self { connection: BufReader::new(connection), asked: 0 };
        hand.write("CONNECT {\"verbose\":false,\"headers\":true}\r\n");
        hand.until_pong();
        hand
    }

    /// Publishes as a node.
    pub(crate) fn say(&mut self, subject: &str, node: &str, text: &str) {
        let head = format!("NATS/1.0\r\nWigeon-Origin: {node}\r\n\r\n");
        let (headers, total) = (head.len(), head.len() + text.len());
        self.write(&format!("HPUB {subject} {headers} {total}\r\n{head}{text}\r\n"));
        self.until_pong();
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, subject: &str, question: &Value) -> Value {
        self.asked += 1;
        let (n, text) = (self.asked, question.to_string());
        let inbox = format!("_INBOX.hand.{}.{n}", wigeon_client::fresh_id());
        let length = text.len();
        self.write(&format!(
            "SUB {inbox} {n}\r\nUNSUB {n} 1\r\nPUB {subject} {inbox} {length}\r\n{text}\r\n"
        ));
        loop {
            let line = self.line();
            if line.starts_with("MSG ") {
                let length = line.rsplit(' ').next().and_then(|length| length.parse().ok());
                let mut answer = vec![0; length.expect("a length")];
                self.connection.read_exact(&mut answer).expect("an answer");
                return serde_json::from_slice(&answer).expect("JSON");
            }
        }
    }

    /// What NATS says of a stream.
    pub(crate) fn stream(&mut self, name: &str) -> Value {
        self.ask(&format!("$JS.API.STREAM.INFO.{name}"), &json!({}))
    }

    /// Has a stream forget what is older; 0 is never.
    pub(crate) fn keep_for_ms(&mut self, name: &str, ms: u64) {
        let mut config = self.stream(name)["config"].clone();
        config["max_age"] = json!(ms * 1_000_000);
        let done = self.ask(&format!("$JS.API.STREAM.UPDATE.{name}"), &config);
        assert!(done["error"].is_null(), "{done}");
    }

    fn write(&mut self, text: &str) {
        self.connection.get_mut().write_all(text.as_bytes()).expect("NATS takes it");
    }

    /// What was written before has been taken in then.
    fn until_pong(&mut self) {
        self.write("PING\r\n");
        while self.line() != "PONG" {}
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let count = self.connection.read_line(&mut line).expect("NATS answers");
        assert!(count > 0, "NATS has ended");
        line.trim_end().to_owned()
    }
}
