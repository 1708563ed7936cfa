//! What all connections of a run share, and what a scenario needs before it can begin.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use anyhow::{Result, anyhow, bail};
use memchr::memmem;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, interval, sleep};
use wigeon_client::{Answer, Client, Method, fresh_id};
use wigeon_proto::cursor::Cursor;
use wigeon_proto::error::ErrorCode;
use wigeon_proto::limits::{BODY_BYTES_MAX, COMMANDS_PER_REQUEST_MAX};

use super::host::{Door, Host};
use super::limits::{CONNECTING_MAX, LOOK, PATIENCE, SAMPLE};
use super::message::{Clock, Rooms};
use super::progress::{Goal, Progress};
use super::reader::Reader;
use super::report::Counts;
use super::tally::Tally;
use super::timeline::{Sample, Timeline};

#[derive(Debug)]
pub(super) struct World {
    pub(super) host: Host,
    pub(super) clock: Clock,
    pub(super) rooms: Rooms,
    pub(super) connecting: Semaphore,
    /// Messages whose senders have no reply yet.
    pub(super) unanswered: Cell<u64>,
    /// Whether ends of connections are no longer failures.
    pub(super) over: Cell<bool>,
    pub(super) progress: Progress,
    pub(super) timeline: RefCell<Timeline>,
    client: Client,
    tallies: RefCell<Vec<Rc<Tally>>>,
}

impl World {
    /// A run with so many rooms and texts of so many bytes.
    pub(super) fn new(host: Host, rooms: usize, size: u32, progress: Progress) -> Result<Rc<Self>> {
        let clock = Clock::start();
        let run = fresh_id()[..8].to_owned();
        let client = Client::new(&host.door().base)?.with_token(&host.token("bench-writer")?);
        Ok(Rc::new(Self {
            clock,
            rooms: Rooms::new(run, rooms, size as usize, clock),
            connecting: Semaphore::new(CONNECTING_MAX),
            unanswered: Cell::new(0),
            over: Cell::new(false),
            progress,
            timeline: RefCell::default(),
            client,
            tallies: RefCell::default(),
            host,
        }))
    }

    /// A new group of readers.
    pub(super) fn group(&self) -> Rc<Tally> {
        let tally = Rc::new(Tally::default());
        self.tallies.borrow_mut().push(tally.clone());
        tally
    }

    /// Deliveries so far, to all groups.
    pub(super) fn delivered(&self) -> u64 {
        self.sum(|tally| tally.delivered.get())
    }

    /// A count over all groups.
    pub(super) fn sum(&self, count: impl Fn(&Tally) -> u64) -> u64 {
        self.tallies.borrow().iter().map(|tally| count(tally)).sum()
    }

    /// What was sent and what came of it, when so many deliveries had to be.
    pub(super) fn counts(&self, expected: u64) -> Counts {
        Counts {
            messages: self.rooms.sent(),
            expected,
            delivered: self.delivered(),
            lost: self.sum(|tally| tally.lost.get()),
            doubled: self.sum(|tally| tally.doubled.get()),
            refused: self.sum(|tally| tally.refused.get()),
            failed: self.sum(|tally| tally.failed.get()),
            first_failure: self.first_failure(),
        }
    }

    pub(super) fn first_failure(&self) -> Option<String> {
        self.tallies.borrow().iter().find_map(|tally| tally.first_failure())
    }

    pub(super) fn rss_kib(&self) -> Option<u64> {
        self.host.rss_kib()
    }

    /// Looks ten times a second, for the chart and for whoever watches.
    pub(super) async fn sample(self: Rc<Self>) {
        let begun = Instant::now();
        let mut ticks = interval(SAMPLE);
        loop {
            ticks.tick().await;
            let sample = Sample {
                at_s: begun.elapsed().as_secs_f64(),
                delivered: self.delivered(),
                rss_kib: self.rss_kib(),
            };
            let mut timeline = self.timeline.borrow_mut();
            let before = timeline.samples.iter().rev().nth(9).or(timeline.samples.first()).copied();
            timeline.samples.push(sample);
            let rate = before.filter(|before| before.at_s < sample.at_s).map_or(0.0, |before| {
                (sample.delivered - before.delivered) as f64 / (sample.at_s - before.at_s)
            });
            self.progress.show(self.sum(|tally| tally.ready.get() as u64), rate);
        }
    }

    /// Waits until nothing is missing and every sender has its reply, or nothing comes any more.
    pub(super) async fn drain(&self, readers: &[Rc<Reader>], senders: &Tally) {
        self.progress.begin("the rest", Goal::Count(1));
        let expected = || readers.iter().map(|reader| reader.expected()).sum::<u64>();
        // What was passed over does not come any more: it would be out of order.
        let missing = || expected().saturating_sub(self.delivered() + self.sum(|tally| tally.lost.get()));
        let left = || missing() + self.unanswered.get();
        let (mut before, mut since) = (left(), Instant::now());
        while before > 0 && since.elapsed() < PATIENCE {
            sleep(LOOK).await;
            if left() != before {
                (before, since) = (left(), Instant::now());
            }
        }
        if self.unanswered.get() > 0 {
            senders.fail(format!("{} messages were never acknowledged", self.unanswered.get()));
        }
        for reader in readers {
            reader.close_account();
        }
    }

    /// Waits until this many readers of a group are there.
    pub(super) async fn until_ready(&self, tally: &Tally, readers: usize) -> Result<()> {
        if tally.until_ready(readers).await {
            return Ok(());
        }
        let why = self.first_failure().map(|why| format!(": {why}")).unwrap_or_default();
        bail!("only {} of {readers} readers are there{why}", tally.ready.get())
    }
}

impl World {
    /// Brings all rooms into being, by their first message.
    pub(super) async fn make_rooms(&self) -> Result<()> {
        self.send_to(&(0..self.rooms.count()).collect::<Vec<_>>()).await
    }

    /// Sends one message to each of these rooms, in this order, as fast as it goes. All are taken, or it fails.
    pub(super) async fn send_to(&self, rooms: &[usize]) -> Result<()> {
        let mut commands = Vec::new();
        let mut bytes = 0;
        for (i, room) in rooms.iter().enumerate() {
            let command = self.rooms.next(*room);
            bytes += command.len();
            commands.push(command);
            self.rooms.taken(*room);
            let full = commands.len() == COMMANDS_PER_REQUEST_MAX || bytes > BODY_BYTES_MAX / 4;
            if full || i + 1 == rooms.len() {
                self.commands(&std::mem::take(&mut commands)).await?;
                bytes = 0;
            }
        }
        Ok(())
    }

    /// Gives these commands, at most as many as one request may have. All are taken, or it fails.
    pub(super) async fn commands(&self, commands: &[String]) -> Result<()> {
        let values: Vec<Value> =
            commands.iter().map(|command| serde_json::from_str(command)).collect::<Result<_, _>>()?;
        let replies = self.client.commands(&values).await.map_err(|error| self.unusable(error))?;
        for reply in replies {
            reply.into_result().map_err(|error| self.unusable(error))?;
        }
        Ok(())
    }

    /// Why the server is none for us, and what to do.
    fn unusable(&self, error: wigeon_client::Error) -> anyhow::Error {
        use wigeon_client::Error::{Connect, Deadline, Refused};
        let base = &self.host.door().base;
        match &error {
            Connect(_) | Deadline(_) => anyhow!("{base}: {error}\n  hint: is a wigeon running there?"),
            // To anybody else a room that was never made is unknown.
            Refused { status, error: refusal }
                if matches!(status, 401 | 403) || refusal.code == ErrorCode::NotFound =>
            {
                anyhow!(
                    "{base}: {error}\n  hint: the token must be of that server and of a service: `wigeon token --user bench --role service` in its directory"
                )
            }
            _ => anyhow!("{base}: {error}"),
        }
    }

    /// Gives commands as they stand: the JSON of an array of them. All are taken, or it fails.
    pub(super) async fn post_all(&self, client: &Client, commands: String) -> Result<Answer> {
        let token = client.token().unwrap_or_default();
        let answer = self.raw(client, Method::POST, "/v1/commands", token, commands).await?;
        if let Some(at) = memmem::find(&answer.body, b"\"error\":{") {
            bail!("a message was refused: {}", String::from_utf8_lossy(&answer.body[at..]));
        }
        Ok(answer)
    }

    /// Asks as it stands, with this token: the JSON of one command or of an array. The answer is not looked into.
    pub(super) async fn post_with(&self, token: &str, commands: String) -> Result<Answer> {
        self.raw(&self.client, Method::POST, "/v1/commands", token, commands).await
    }

    /// The answer to a GET of this path.
    pub(super) async fn get_with(&self, token: &str, path: &str) -> Result<Answer> {
        self.raw(&self.client, Method::GET, path, token, String::new()).await
    }

    async fn raw(
        &self,
        client: &Client,
        method: Method,
        path: &str,
        token: &str,
        body: String,
    ) -> Result<Answer> {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let answer = client.raw(method, path, &headers, body).await.map_err(|error| self.unusable(error))?;
        if answer.status != 200 {
            let text = String::from_utf8_lossy(&answer.body);
            bail!("{} answered {path} with {}: {text}", client.base(), answer.status);
        }
        Ok(answer)
    }

    /// Who asks and fills, at the first node.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The same at another.
    pub(super) fn client_at(&self, door: &Door) -> Result<Client> {
        Ok(Client::new(&door.base)?.with_token(self.client.token().unwrap_or_default()))
    }

    /// The cursor of now.
    pub(super) async fn cursor(&self) -> Result<String> {
        #[derive(serde::Deserialize)]
        struct Poll {
            cursor: String,
        }
        let answer =
            self.get_with(self.client.token().unwrap_or_default(), "/v1/events?transport=poll").await?;
        Ok(serde_json::from_slice::<Poll>(&answer.body)?.cursor)
    }

    /// How many entries the log has had so far.
    pub(super) async fn position(&self) -> Result<u64> {
        Ok(Cursor::parse(&self.cursor().await?)?.position)
    }
}
