//! `archive`: what the page asks of a server that holds years of messages, alone and beside writers.

mod fill;
mod question;
mod texts;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, Result};
use memchr::{memchr, memmem};
use tokio::task::spawn_local;
use tokio::time::sleep;
use wigeon_proto::limits::PAGE_FRAMES_MAX;

use super::{Findings, latency, paced};
use crate::bench::arguments;
use crate::bench::limits::{INDEXED, QUESTION, SAMPLE};
use crate::bench::meter::Meter;
use crate::bench::progress::Goal;
use crate::bench::report::{Archive, Filled, Phase, thousands};
use crate::bench::sender::{Sender, answered};
use crate::bench::tally::Tally;
use crate::bench::world::World;
use fill::{Shelves, fill};
use question::{Question, Reader};
use texts::{Dice, Sought};

pub(super) async fn run(world: &Rc<World>, asked: &arguments::Archive) -> Result<Findings> {
    let (shelves, mut filled) = filled(world, asked).await?;
    let shelves = Rc::new(shelves);
    let cursors =
        (0..shelves.users.len()).map(|user| shelves.behind(user, PAGE_FRAMES_MAX).to_owned()).collect();
    let tokens = (0..shelves.users.len()).map(|user| world.host.user_token(&world.rooms.user(user)));
    let tokens = tokens.collect::<Result<_>>()?;
    let largest_room = shelves.messages[0];
    let reader = Rc::new(Reader {
        world: world.clone(),
        shelves,
        cursors,
        tokens,
        walk: RefCell::default(),
        asked: Cell::new(0),
    });

    filled.searchable_after_s = searchable(&reader).await?;
    let alone = questions(&reader, asked).await?;
    let tally = world.group();
    let answers = answered();
    let sender = Sender::open(world, 0, &tally, &answers).await?;
    let rooms = u64::from(asked.rooms);
    let mut dice = Dice::new(1);
    let write = |_| sender.queue(dice.below(rooms) as usize);
    let writing = tokio::select! {
        () = paced(asked.rate, u64::MAX, write, || sender.flush()) => Vec::new(),
        phases = questions(&reader, asked) => phases?,
    };
    world.drain(&[], &tally).await;
    Ok(Findings {
        load: format!(
            "{} messages in {} rooms, the largest of {}; {} users in {} rooms each and one in {}; {} answers to each question, {} at a time",
            thousands(asked.messages.into()),
            thousands(asked.rooms.into()),
            thousands(largest_room.into()),
            thousands(asked.users.into()),
            asked.rooms_each,
            thousands(asked.rooms_of_busiest.into()),
            thousands(asked.requests.into()),
            asked.at_once
        ),
        connections: asked.at_once as usize,
        expected: reader.asked.get(),
        acknowledged: latency(&answers),
        archive: Some(Archive { filled, rate: asked.rate, alone, writing }),
        ..Findings::default()
    })
}

/// Fills, and measures that.
async fn filled(world: &Rc<World>, asked: &arguments::Archive) -> Result<(Shelves, Filled)> {
    let cpu = || world.host.cpu();
    let (begun, cpu_before) = (Instant::now(), cpu());
    let shelves = fill(world, asked, &world.group()).await?;
    let seconds = begun.elapsed().as_secs_f64();
    // A read sees what was acknowledged, so it waits until the tables have all of it.
    world.cursor().await?;
    let messages = f64::from(asked.messages);
    let spent = cpu().zip(cpu_before).map(|(after, before)| after.saturating_sub(before));
    let filled = Filled {
        messages: asked.messages.into(),
        seconds,
        messages_per_s: messages / seconds,
        server_cpu_us_per_message: spent.map(|spent| spent.as_secs_f64() * 1e6 / messages),
        searchable_after_s: None,
        disk_bytes: world.host.disk_bytes(),
        disk_bytes_per_message: world.host.disk_bytes().map(|bytes| bytes as f64 / messages),
    };
    Ok((shelves, filled))
}

/// Waits until one answer to a search is enough, as it is when all messages are indexed: how long that took, and
/// `None` where it does not come to that.
async fn searchable(reader: &Reader) -> Result<Option<f64>> {
    reader.world.progress.begin("indexing", Goal::Count(1));
    let begun = Instant::now();
    let (mut least, mut since) = (usize::MAX, begun);
    let busiest = reader.shelves.users.len() - 1;
    loop {
        let answers = reader.search(busiest, Sought::Rare, None).await?;
        if answers == 1 {
            return Ok(Some(begun.elapsed().as_secs_f64()));
        }
        if answers < least {
            (least, since) = (answers, Instant::now());
        } else if since.elapsed() > INDEXED {
            return Ok(None);
        }
        sleep(SAMPLE).await;
    }
}

/// All questions, each as often as was asked.
async fn questions(reader: &Rc<Reader>, asked: &arguments::Archive) -> Result<Vec<Phase>> {
    let world = &reader.world;
    let mut phases = Vec::new();
    for (number, question) in Question::ALL.into_iter().enumerate() {
        let tally = world.group();
        let so_far = world.sum(|tally| tally.ready.get() as u64);
        world.progress.begin(question.name(), Goal::Count(so_far + u64::from(asked.requests)));
        let meter = Meter::begin(world, question.name(), &tally);
        let asking = (0..asked.at_once).map(|asker| {
            let share = asked.requests / asked.at_once + u32::from(asker < asked.requests % asked.at_once);
            let seed = (number as u64) << 32 | u64::from(asker);
            spawn_local(ask(reader.clone(), tally.clone(), question, share, Dice::new(seed)))
        });
        for asker in asking.collect::<Vec<_>>() {
            asker.await.context("who asks")?;
        }
        phases.push(meter.end());
    }
    Ok(phases)
}

/// Asks one question so often, the next when there is an answer to the one before, or as often as there is time for.
async fn ask(reader: Rc<Reader>, tally: Rc<Tally>, question: Question, times: u32, mut dice: Dice) {
    let clock = reader.world.clock;
    let begun = Instant::now();
    for _ in 0..times {
        if begun.elapsed() > QUESTION {
            return;
        }
        let begun_ns = clock.now_ns();
        match reader.ask(question, &mut dice).await {
            Ok(()) => tally.deliver(begun_ns, clock.now_ns()),
            Err(error) => tally.fail(format!("{}: {error:#}", question.name())),
        }
        tally.ready.set(tally.ready.get() + 1);
        reader.asked.set(reader.asked.get() + 1);
    }
}

/// The last text under this name in an answer.
fn last_text(answer: &[u8], name: &str) -> Option<String> {
    let field = format!("\"{name}\":\"");
    let at = memmem::rfind(answer, field.as_bytes())? + field.len();
    let end = at + memchr(b'"', &answer[at..])?;
    Some(String::from_utf8_lossy(&answer[at..end]).into_owned())
}
