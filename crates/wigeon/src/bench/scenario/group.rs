//! `group`: thousands of members, some of whom are there; then all of them say that they have read.

use std::rc::Rc;
use std::time::Instant;

use anyhow::Result;
use serde_json::json;
use wigeon_proto::limits::{COMMANDS_PER_REQUEST_MAX, MEMBERS_PER_COMMAND_MAX};

use super::load::{driven, measured};
use super::{Findings, expected, latency, pace};
use crate::bench::arguments;
use crate::bench::progress::Goal;
use crate::bench::reader::{Reader, Reading};
use crate::bench::report::{Group, Memory, Receipts, thousands};
use crate::bench::sender::{Sender, answered};
use crate::bench::tally::Tally;
use crate::bench::world::World;

/// The only room.
const ROOM: usize = 0;

pub(super) async fn run(world: &Rc<World>, asked: &arguments::Group) -> Result<Findings> {
    let (members, count) = (asked.members as usize, asked.readers as usize);
    make_group(world, members).await?;
    let tally = world.group();
    let answers = answered();
    let sender = Sender::open(world, 0, &tally, &answers).await?;
    let before = world.rss_kib();
    world.progress.begin("connecting", Goal::Count(count as u64));
    let start = |number: usize| {
        let reading = Reading::new(asked.way.transport, number + 1, vec![ROOM], &tally);
        Reader::start(world, Reading { member: Some(world.rooms.user(number)), ..reading })
    };
    let readers: Vec<_> = (0..count).map(start).collect();
    world.until_ready(&tally, count).await?;
    let connected = world.rss_kib();

    let (entries, messages) = (world.position().await?, world.rooms.sent());
    let drive = driven(&sender, &tally, count as u64, &asked.load);
    let phase = measured(world, &tally, &asked.load, drive, || {}, &readers).await;
    let records = (world.position().await? - entries) as f64 / (world.rooms.sent() - messages) as f64;

    let receipts = receipts(world, members, &sender, &tally, &readers).await?;
    Ok(Findings {
        load: format!(
            "{} of {} members of a group are there, {}, {} bytes; then all members mark it as read",
            thousands(count as u64),
            thousands(members as u64),
            pace(&asked.load),
            asked.load.size
        ),
        connections: count + 1,
        expected: expected(&readers),
        phases: vec![phase],
        acknowledged: latency(&answers),
        memory: Memory::of(before, connected, world.rss_kib(), count),
        group: Some(Group { members, records_per_message: records, receipts }),
        ..Findings::default()
    })
}

/// The group, its members, and a first message.
async fn make_group(world: &World, members: usize) -> Result<()> {
    world.progress.begin("members", Goal::Count(1));
    let room = world.rooms.name(ROOM);
    let create =
        json!({ "id": room, "type": "room.create", "kind": "group", "room": room, "title": "Everybody" });
    world.commands(&[create.to_string()]).await?;
    let users: Vec<_> = (0..members).map(|member| world.rooms.user(member)).collect();
    let add = |(part, users): (usize, &[String])| {
        let id = format!("{room}-add-{part}");
        json!({ "id": id, "type": "member.add", "room": room, "users": users }).to_string()
    };
    let adding: Vec<_> = users.chunks(MEMBERS_PER_COMMAND_MAX).enumerate().map(add).collect();
    for commands in adding.chunks(COMMANDS_PER_REQUEST_MAX) {
        world.commands(commands).await?;
    }
    world.send_to(&[ROOM]).await
}

/// Every member marks the room as read; what that brings to those who are there stands in the order of things
/// before one more message, so all of it has come when that has.
async fn receipts(
    world: &Rc<World>,
    members: usize,
    sender: &Sender,
    tally: &Rc<Tally>,
    readers: &[Rc<Reader>],
) -> Result<Receipts> {
    world.progress.begin("read marks", Goal::Count(1));
    let room = world.rooms.name(ROOM);
    let seq = world.rooms.last(ROOM);
    let read = |member: usize| {
        let (id, user) = (format!("{room}-read-{member}"), world.rooms.user(member));
        json!({ "id": id, "type": "read", "as": user, "room": room, "seq": seq }).to_string()
    };
    let reading: Vec<_> = (0..members).map(read).collect();
    let cpu = || world.host.cpu();
    let entries = world.position().await?;
    let (begun, cpu_before, frames) = (Instant::now(), cpu(), tally.frames.get());
    for commands in reading.chunks(COMMANDS_PER_REQUEST_MAX) {
        world.commands(commands).await?;
    }
    let (seconds, records) = (begun.elapsed().as_secs_f64(), world.position().await? - entries);
    sender.send(ROOM);
    world.drain(readers, tally).await;
    let spent = cpu().zip(cpu_before).map(|(after, before)| after.saturating_sub(before));
    // The message itself is one of each reader's frames.
    let frames = (tally.frames.get() - frames).saturating_sub(readers.len() as u64);
    Ok(Receipts {
        count: members,
        seconds,
        records_per_receipt: records as f64 / members as f64,
        frames,
        frames_per_reader: frames as f64 / readers.len() as f64,
        server_cpu_us_per_receipt: spent.map(|spent| spent.as_secs_f64() * 1e6 / members as f64),
    })
}
