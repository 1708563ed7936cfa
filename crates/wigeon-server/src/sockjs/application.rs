//! What answers behind a face: the chat, or one of the services that test suites for SockJS servers expect.

use std::collections::VecDeque;

use bytes::Bytes;
use wigeon_proto::sockjs::frame::Close;

use super::chat::Chat;

/// Which of them a face has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Wigeon itself.
    Chat,
    /// Says everything again.
    Echo,
    /// Closes at once.
    Close,
    /// Answers a number n with 2^n letters.
    Amplify,
}

/// One of them, in one session.
pub(super) enum Application {
    Chat(Box<Chat>),
    Echo(VecDeque<Message>),
    Amplify(VecDeque<Message>),
    Close,
}

/// What a session carries. Only a bare WebSocket knows binary ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    Text(Bytes),
    Binary(Bytes),
}

impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Message {
    fn from(text: Vec<u8>) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// What an application has to say.
pub(super) enum Told {
    Messages(Vec<Message>),
    Close(Close),
}

/// Messages that a test service keeps; past it no more are taken.
const KEPT_MAX: usize = 1024;
/// The largest power of two that `amplify` answers with.
const AMPLIFY_POWER_MAX: u32 = 18;

impl Application {
    /// A test service; the chat is opened by who asks for it.
    pub(super) fn service(kind: Kind) -> Self {
        match kind {
            Kind::Close => Self::Close,
            Kind::Amplify => Self::Amplify(VecDeque::new()),
            Kind::Chat | Kind::Echo => Self::Echo(VecDeque::new()),
        }
    }

    /// Whether it takes another message.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Chat(chat) => chat.has_room(),
            Self::Echo(kept) | Self::Amplify(kept) => kept.len() < KEPT_MAX,
            Self::Close => true,
        }
    }

    /// Takes a message.
    pub(super) fn receive(&mut self, message: Message) {
        match self {
            Self::Chat(chat) => chat.receive(&message),
            Self::Echo(kept) => kept.push_back(message),
            Self::Amplify(kept) => kept.push_back(amplify(message.as_ref())),
            Self::Close => {}
        }
    }

    /// What it says next; waits for it. Cancel-safe.
    pub(super) async fn next(&mut self) -> Told {
        match self {
            Self::Chat(chat) => chat.next().await,
            Self::Echo(kept) | Self::Amplify(kept) if !kept.is_empty() => {
                Told::Messages(std::mem::take(kept).into())
            }
            Self::Echo(_) | Self::Amplify(_) => std::future::pending().await,
            Self::Close => Told::Close(Close::go_away()),
        }
    }
}

fn amplify(number: &[u8]) -> Message {
    let number = std::str::from_utf8(number).ok().and_then(|text| text.trim().parse().ok());
    let power = number.filter(|power| (1..=AMPLIFY_POWER_MAX).contains(power)).unwrap_or(1);
    vec![b'x'; 1 << power].into()
}
