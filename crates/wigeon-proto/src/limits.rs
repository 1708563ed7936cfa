//! Every limit in one place: its name, its unit, its value, and why.

/// Bytes of an id that a caller may choose. Fits a UUID, a ULID or an e-mail-like name.
pub const ID_BYTES_MAX: usize = 64;
/// Bytes of a command's id: room for a prefix and a UUID.
pub const COMMAND_ID_BYTES_MAX: usize = 128;
/// Bytes of one command's JSON: a text of the greatest length, escaped badly.
pub const COMMAND_BYTES_MAX: usize = 128 * 1024;
/// Bytes of an HTTP request body and of one WebSocket message: a few full commands.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// Bytes of a message from which a WebSocket sends it compressed, where that was agreed. A chat message of 256
/// bytes of JSON saves 67, less than its packet's own headers, for 11 µs; one of 512 saves 207 for 13 µs.
pub const DEFLATE_BYTES_MIN: usize = 512;
/// Commands in one request: one page's outbox after a day offline, in a few requests.
pub const COMMANDS_PER_REQUEST_MAX: usize = 100;
/// Bytes of a message's text in UTF-8. Longer ones are files.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a room's title.
pub const TITLE_BYTES_MAX: usize = 256;
/// Bytes of a user's display name.
pub const NAME_BYTES_MAX: usize = 128;
/// Bytes of an emoji in a reaction: the longest joined sequences have about 35.
pub const EMOJI_BYTES_MAX: usize = 64;
/// Users one `send` may mention; more is `@all`'s work.
pub const MENTIONS_MAX: usize = 50;
/// Users one `room.create` or `member.add` may name: one event must stay small.
pub const MEMBERS_PER_COMMAND_MAX: usize = 100;
/// Different emoji on one message, and so the size of its reactions in history.
pub const REACTIONS_PER_MESSAGE_MAX: usize = 50;
/// Rooms one feed may watch or focus: its subscription must stay small.
pub const WATCH_ROOMS_MAX: usize = 100;
/// Pins of one room: a list somebody reads, not an archive.
pub const PINS_MAX: usize = 50;
/// Invitations of one room that are good at once: few enough to look through and revoke.
pub const INVITES_MAX: usize = 100;
/// Times one invitation may be used, where a number is named.
pub const INVITE_USES_MAX: u64 = 100_000;
/// Seconds one invitation may be good for, where a number is named: a year.
pub const INVITE_S_MAX: u64 = 365 * 24 * 3600;
/// Users one user may block: each direct message looks at the list.
pub const BLOCKED_MAX: usize = 1000;
/// Seconds between two messages of a member that slow mode may ask for: six hours.
pub const SLOW_S_MAX: u64 = 6 * 3600;
/// Days that a room, or the server, may keep messages, where a number is named: a century.
pub const RETENTION_DAYS_MAX: u64 = 36_500;
/// Rows of the log that one entry of retention takes away: a fold of some 20 ms.
pub const RETENTION_STEP_ROWS: usize = 500;
/// Milliseconds between two steps of retention: it takes a tenth of the fold's time at most.
pub const RETENTION_PACE_MS: u64 = 200;
/// Milliseconds between two looks for messages whose time is over: they go within six hours of it.
pub const RETENTION_EVERY_MS: u64 = 6 * 3600 * 1000;
/// Milliseconds after a look that did not come to its end until the next.
pub const RETENTION_AGAIN_MS: u64 = 60_000;
/// Rooms that one read looks at for messages whose time is over.
pub const RETENTION_ROOMS_PER_READ: usize = 200;
/// Milliseconds for which a command's id is known at least, also when its message has gone: 30 days. An outbox
/// stops trying after one.
pub const ANSWERS_KEPT_MS: u64 = 30 * 24 * 3600 * 1000;
/// Answers past their time that one entry of retention takes away.
pub const ANSWERS_DROPPED_MAX: usize = 2_000;
/// Milliseconds since 1970 that a command may name: the last that a `Date` of JavaScript knows.
pub const TIME_MS_MAX: u64 = 8_640_000_000_000_000;
/// Members of a group who are told of each other's read marks; in larger ones a mark is for the reader's
/// own devices alone, so that receipts cannot storm.
pub const READ_EVENT_USERS_MAX: u64 = 100;
/// Members of a room who hear of each other's typing, and new names, without saying that they have it before
/// their eyes.
pub const TYPING_USERS_MAX: u64 = 100;
/// Users who are told that one has another name: a signal, which heals when a page is loaded again, is worth no
/// more than some milliseconds.
pub const NAME_TOLD_USERS_MAX: usize = 1000;
/// Rooms in which those are looked for, the smallest first.
pub const NAME_TOLD_ROOMS_MAX: usize = 200;
/// Users whose new names are told in one second; the others wait for the next.
pub const NAMES_PER_TICK_MAX: usize = 16;
/// Users whose new names wait to be told; beyond that a name is not told at all.
pub const NAMES_DUE_MAX: usize = 10_000;
/// Members of a room in which `receipts.get` counts readers: it looks at each of them.
pub const RECEIPTS_USERS_MAX: u64 = 5000;
/// Readers that `receipts.get` names; the rest it counts.
pub const RECEIPTS_SHOWN_MAX: usize = 20;
/// Forms of one message that `message.versions` tells, the newest ones.
pub const VERSIONS_MAX: usize = 50;
/// Bytes of one user's settings for a room, or for all: settings and a draft, not storage.
pub const PREFS_BYTES_MAX: usize = 4096;
/// Bytes of a draft, of a nonce, of a session: names, not payloads.
pub const NONCE_BYTES_MAX: usize = 64;

/// Milliseconds a session lives after its last sign of life: a long poll and a slow return.
pub const SESSION_MS: u64 = 45_000;
/// Milliseconds between the end of the last feed and "offline": a reload, a tunnel, another transport.
pub const PRESENCE_DEBOUNCE_MS: u64 = 20_000;
/// Milliseconds for which one is told of a user's presence; who wants more asks again.
pub const PRESENCE_WATCH_MS: u64 = 120_000;
/// Rooms whose newest messages are kept in memory, so that their senders can be told when devices have them;
/// of twice as many at times.
pub const DELIVERED_ROOMS_MAX: usize = 20_000;
/// Messages of one room that are kept for it: what a group says while a phone is out of reach for a moment.
pub const DELIVERED_ROOM_MESSAGES_MAX: usize = 16;
/// Users of one room who are told as `delivered` in one second: half of what waits for a feed at most.
pub const DELIVERED_PER_TICK_MAX: usize = 32;
/// Users one `presence.watch` may name: a screen of them.
pub const PRESENCE_WATCH_MAX: usize = 100;
/// Users of whose presence one user is told at once, over all devices.
pub const PRESENCE_WATCHED_MAX: usize = 500;
/// Users whose last sign of life is kept in memory after they have gone.
pub const PRESENCE_KNOWN_MAX: usize = 100_000;

/// Frames of one poll answer, and of one read of the log, if the caller names no other number.
pub const PAGE_FRAMES_MAX: usize = 500;
/// Bytes of frames in one poll answer or one write of a stream: what a phone takes in at once.
pub const PAGE_BYTES_MAX: usize = 256 * 1024;
/// Messages of one `history` answer.
pub const HISTORY_MAX: usize = 100;
/// Rows of any other listing.
pub const LIST_MAX: usize = 200;
/// Hits of one `search` answer.
pub const SEARCH_MAX: usize = 100;
/// Bytes of what is searched for: a sentence in any script.
pub const SEARCH_BYTES_MAX: usize = 512;
/// Terms of a search that its index is asked for; the texts it names are looked at for all of them.
pub const SEARCH_TERMS_MAX: usize = 16;
/// Bytes of a term in the index; of longer words it has the beginning.
pub const SEARCH_TERM_BYTES_MAX: usize = 64;
/// Positions that are brought into the search index at once, and so how many wait for it before they are: each
/// search goes through those that wait, some 4 ms.
pub const SEARCH_STRETCH_POSITIONS: u64 = 1024;
/// Pieces of the search index that become a larger one. Each message is written as often as there are sizes,
/// each search looks into at most so many pieces of each size but the largest.
pub const SEARCH_MERGE_PIECES: usize = 16;
/// Bytes of messages that are brought into the search index at once: it is all in memory, some ten times that.
pub const SEARCH_STRETCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Rooms of one asker for which a search asks the index room by room; with more it asks in which room each
/// message is.
pub const SEARCH_ROOM_LISTS_MAX: usize = 16;
/// Edited messages that one search takes from the index, before it answers with what it has.
pub const SEARCH_LATE_MAX: usize = 4096;
/// Messages that one search may pass over before it answers with what it has. One whose text is looked at
/// counts as 16, and as 16 more for each KiB: some 40 ms.
pub const SEARCH_EFFORT_MAX: usize = 65_536;
/// Characters of a hit's snippet: two lines on a page, four on a telephone.
pub const SNIPPET_CHARS_MAX: usize = 160;
/// Searches at once; the others wait. Half of the readers are left to other questions.
pub const SEARCHES_MAX: usize = 2;
/// Milliseconds a search waits for its turn before its asker is told `busy`.
pub const SEARCH_WAIT_MS_MAX: u64 = 5_000;
/// Rooms of one `snapshot` page.
pub const SNAPSHOT_ROOMS_MAX: usize = 500;
/// Members named with a room in a snapshot: enough for a title and an avatar row.
pub const ROOM_USERS_SHOWN_MAX: usize = 20;
/// Newest events that `last=` may ask for.
pub const LAST_MAX: usize = 100;
/// Positions a cursor may lie behind before a snapshot is cheaper than the replay.
pub const REPLAY_POSITIONS_MAX: u64 = 5_000_000;

/// Live events waiting for one feed. Past it the feed reads the log again from its position.
pub const FEED_WINDOW_EVENTS_MAX: usize = 256;
/// Signals waiting for one feed; past it they are dropped, for nobody misses a typing mark.
pub const FEED_SIGNALS_MAX: usize = 64;
/// Questions for counts of unread messages that are asked at once: half of the readers, so that the other half
/// is there for everybody else.
pub const UNREAD_ASKED_MAX: usize = 2;
/// Rooms whose counts one feed knows without asking: those that are busy while it lives.
pub const UNREAD_ROOMS_KNOWN_MAX: usize = 64;
/// Events of one room that may come between a question for its counts and the answer; past it they are asked
/// again.
pub const UNREAD_SINCE_MAX: usize = 256;
/// Commands of one connection that wait for their reply; past it the socket is not read.
pub const COMMANDS_IN_FLIGHT_MAX: usize = 256;
/// Milliseconds a start waits for the lock of its data directory, before it says that another server runs there.
pub const LOCK_WAIT_MS_MAX: u64 = 2_000;
/// Requests waiting for the sequencer; past it callers get `busy`.
pub const SEQUENCER_QUEUE_MAX: usize = 16_384;
/// Entries in one commit: enough to pay for an `fsync`, few enough to keep acks quick.
pub const COMMIT_ENTRIES_MAX: usize = 1024;
/// Bytes of entries after which a commit ends: what one write to the disk may keep the next waiting for.
pub const COMMIT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of the log's first segment. Each is twice as large as the last, so that a small store stays small.
pub const LOG_SEGMENT_BYTES_MIN: u64 = 1024 * 1024;
/// Bytes of a segment of the log, and of the one that is made ready before it is needed. A start reads the
/// newest, and to take a text out one is written anew: half a second or so.
pub const LOG_SEGMENT_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Seconds between two scrubs of the log: within them, and what the writing takes, a text that was recalled or
/// has expired leaves it. Each writes the segments concerned anew.
pub const SCRUB_EVERY_S: u64 = 3600;
/// Seconds after a scrub that did not come to its end until the next.
pub const SCRUB_AGAIN_S: u64 = 60;
/// Milliseconds a scrub waits for the log to go on in another segment, before it leaves it for the next time.
pub const SCRUB_TURN_MS_MAX: u64 = 10_000;
/// Milliseconds that two who write the search index wait for one another: each writes a piece of it at once, which
/// takes a second or two.
pub const SEARCH_FILE_WAIT_MS_MAX: u64 = 60_000;
/// Milliseconds an entry may wait for others before it is folded into the tables, if no reader asks for it.
pub const FOLD_DELAY_MS_MAX: u64 = 100;
/// Rows, and KiB of events, that are folded in one transaction: pages that they share are written once. A
/// reader that comes meanwhile waits for it, some 100 ms where so much was said in a tenth of a second.
pub const FOLD_SLICE_WEIGHT_MAX: usize = 32_768;
/// Rows, and KiB of events, after which the tables' own journal is synced: a megabyte or two, which whoever syncs
/// the log meanwhile may have to wait for. Less is not worth a reader's wait for the next slice.
pub const FOLD_SYNC_WEIGHT: usize = FOLD_SLICE_WEIGHT_MAX / 16;
/// Rows, and KiB of events, that may wait in memory for the fold: some 40 MB. Past it the sequencer waits.
pub const PENDING_WEIGHT_MAX: usize = 2 * FOLD_SLICE_WEIGHT_MAX;
/// Milliseconds a reader waits for the tables to hold what was acknowledged before it asked.
pub const FOLD_WAIT_MS_MAX: u64 = 30_000;
/// Open connections; past it new ones are closed at once.
pub const CONNECTIONS_MAX: usize = 100_000;

/// Commands a user may send each second, on average. Services are exempt.
pub const COMMANDS_PER_SECOND: u32 = 100;
/// Commands a user may send at once.
pub const COMMANDS_BURST: u32 = 1000;
/// Guests one address may bring into being each minute; also how many at once.
pub const GUESTS_PER_MINUTE: u32 = 60;

/// Bytes of a URL that a preview is asked for: the longest that people pass on.
pub const PREVIEW_URL_BYTES_MAX: usize = 2048;
/// Milliseconds in which a preview is fetched, redirects and all: a page is read meanwhile, and nobody waits long.
pub const PREVIEW_MS_MAX: u64 = 5_000;
/// Milliseconds for a connection to one address of a site, so that there is time for another.
pub const PREVIEW_CONNECT_MS_MAX: u64 = 2_000;
/// Addresses of a site that are tried.
pub const PREVIEW_ADDRESSES_MAX: usize = 4;
/// Redirects that are followed: from http to https, to `www.`, and one more.
pub const PREVIEW_REDIRECTS_MAX: usize = 3;
/// Bytes of a page that are read: its head is in them, with the scripts that some put before what they say.
pub const PREVIEW_BODY_BYTES_MAX: usize = 512 * 1024;
/// Bytes of a response's head.
pub const PREVIEW_HEAD_BYTES_MAX: usize = 64 * 1024;
/// Headers of a response.
pub const PREVIEW_HEADERS_MAX: usize = 100;
/// Previews that are fetched at once: a few MB each at worst, some 50 MB.
pub const PREVIEW_FETCHES_MAX: usize = 16;
/// Names of hosts that are looked up at once; each has a thread, and keeps it as long as the resolver wants.
pub const PREVIEW_LOOKUPS_MAX: usize = 32;
/// Previews that are fetched or wait for their turn; past it askers are told `busy`.
pub const PREVIEW_FLIGHTS_MAX: usize = 512;
/// Milliseconds a preview waits for its turn before its asker is told `busy`.
pub const PREVIEW_WAIT_MS_MAX: u64 = 5_000;
/// Previews that are kept, and refusals: some KB each at worst, less than one mostly.
pub const PREVIEWS_KEPT_MAX: usize = 4096;
/// Milliseconds for which a preview is kept: an hour, in which a link has made its round.
pub const PREVIEW_KEPT_MS: u64 = 3600 * 1000;
/// Milliseconds for which is kept that a page says nothing of itself.
pub const PREVIEW_NOTHING_KEPT_MS: u64 = 10 * 60 * 1000;
/// Milliseconds for which is kept that a page could not be had, or may not: it may change soon.
pub const PREVIEW_FAILED_KEPT_MS: u64 = 60 * 1000;
/// Characters of a preview's title: two lines of a card, and no more than people read.
pub const PREVIEW_TITLE_CHARS_MAX: usize = 200;
/// Characters of a preview's description.
pub const PREVIEW_DESCRIPTION_CHARS_MAX: usize = 400;
/// Characters of the name of a preview's site.
pub const PREVIEW_SITE_CHARS_MAX: usize = 80;
/// Previews that one user may have fetched each minute, on average; what is kept costs nothing. Services are
/// exempt.
pub const PREVIEWS_PER_MINUTE: u32 = 60;
/// Previews that one user may have fetched at once: a conversation full of links.
pub const PREVIEWS_BURST: u32 = 60;
/// Requests to one address each second, for all users: a busy channel may point at one site, and must not
/// become a load for it.
pub const PREVIEWS_PER_ADDRESS_PER_SECOND: u32 = 4;
/// Requests to one address at once.
pub const PREVIEWS_PER_ADDRESS_BURST: u32 = 40;

/// Seconds a long poll is held if the caller names no other number: below every common gateway's 30.
pub const LONG_POLL_S: u64 = 25;
/// Seconds a caller may ask a long poll to be held.
pub const LONG_POLL_S_MAX: u64 = 60;
/// Milliseconds between heartbeats, ± 10 %: Envoy's route time-out is 15 s, most others 50 s or more.
pub const HEARTBEAT_MS: u64 = 15_000;
/// Milliseconds after `ready` at which a stream opened with a nonce proves that small writes get through.
pub const PROOF_MS: u64 = 150;
/// Milliseconds in which a WebSocket without credentials must say `hello`.
pub const HELLO_MS_MAX: u64 = 5_000;
/// Bytes of a request's head: more than any browser sends, cookies and all.
pub const REQUEST_HEAD_BYTES_MAX: usize = 64 * 1024;
/// Milliseconds in which a request's head must be complete (slow-loris).
pub const REQUEST_HEAD_MS_MAX: u64 = 10_000;
/// Milliseconds in which a request's body must be complete.
pub const REQUEST_BODY_MS_MAX: u64 = 20_000;
/// Milliseconds a receiver may take nothing at all before its connection is given up.
pub const WRITE_STALL_MS_MAX: u64 = 120_000;
/// Milliseconds a command may wait for its commit before its sender is told `unavailable`.
pub const COMMIT_MS_MAX: u64 = 30_000;
/// Milliseconds in which connections may finish after `bye`.
pub const DRAIN_MS_MAX: u64 = 5_000;
/// Milliseconds over which clients spread their return after `bye`.
pub const BYE_RETRY_MS: u64 = 2_000;
/// Milliseconds a client may go on for one stream before it is ended and comes back with its cursor.
pub const STREAM_MS_MAX: u64 = 30 * 60 * 1000;
/// Bytes of one `ndjson`, `iframe` or `htmlfile` response before it ends: old engines keep it all in memory.
pub const STREAM_BYTES_MAX: u64 = 128 * 1024;
/// Bytes of padding a caller may ask for: the most any known engine or proxy holds back.
pub const PADDING_BYTES_MAX: usize = 8192;
/// Seconds a ticket lives: long enough to reconnect, short enough to leak into a log.
pub const TICKET_S: u64 = 600;

/// SockJS sessions at once; past it new ones are refused. One that nobody reads ends after
/// [`SOCKJS_DISCONNECT_MS`], so this is room for as many readers as any one machine has had.
pub const SOCKJS_SESSIONS_MAX: usize = 50_000;
/// Milliseconds without a frame after which a SockJS session beats: the protocol's number, below its clients'
/// own patience of 35 s.
pub const SOCKJS_HEARTBEAT_MS: u64 = 25_000;
/// Milliseconds without a reader after which a SockJS session ends: the protocol's number.
pub const SOCKJS_DISCONNECT_MS: u64 = 5_000;
/// Bytes of one streamed SockJS response before it ends: the protocol's number.
pub const SOCKJS_RESPONSE_BYTES_MAX: u64 = 128 * 1024;
/// Milliseconds a SockJS payload may wait for its session to take it; the session takes none while
/// [`COMMANDS_IN_FLIGHT_MAX`] replies wait for a reader.
pub const SOCKJS_SEND_MS_MAX: u64 = 5_000;

/// Entries that a node of a cluster has published and not applied; past it callers get `busy`.
pub const CLUSTER_IN_FLIGHT_MAX: usize = 8192;
/// Messages that NATS has brought and a node has not taken in, by its client library; one more is dropped, and all after
/// it are asked for again. NATS sends on until 32 MiB are under way (its flow control), which are not more of the
/// smallest, with their headers 128 bytes and above.
pub const CLUSTER_BROUGHT_MAX: usize = 32 * 1024 * 1024 / 128;
/// Milliseconds in which the stream confirms an entry, or its sender is told that nobody knows: an election of
/// NATS takes two to four seconds.
pub const CLUSTER_ACK_MS_MAX: u64 = 8_000;
/// Milliseconds a starting node waits for NATS and its stream.
pub const CLUSTER_CONNECT_MS_MAX: u64 = 30_000;
/// Milliseconds between two pings of a node to NATS; after three without an answer it looks for another server.
pub const CLUSTER_PING_MS: u64 = 2_000;
/// Milliseconds after which a quiet consumer of the stream gives a sign of life.
pub const CLUSTER_HEARTBEAT_MS: u64 = 1_000;
/// Milliseconds of silence after which a node makes its consumer anew: two signs of life and a little.
pub const CLUSTER_SILENCE_MS_MAX: u64 = 2_500;
/// Milliseconds in which the stream says how far it is, or a reader gets what this node has.
pub const CLUSTER_HEAD_MS_MAX: u64 = 1_000;
/// Milliseconds a reader waits for its node to be as far as the stream was when the question came.
pub const CLUSTER_LEVEL_MS_MAX: u64 = 5_000;
/// Signals to other nodes that wait for NATS; past it they are dropped.
pub const CLUSTER_SIGNALS_MAX: usize = 1024;
/// Milliseconds between two lists of who is present on a node, for the others.
pub const CLUSTER_PRESENCE_MS: u64 = 15_000;
/// Milliseconds for which others believe such a list: two may be lost.
pub const CLUSTER_PRESENCE_MS_MAX: u64 = 40_000;
/// Entries between two comparisons of what they came to on different nodes.
pub const CLUSTER_DIGEST_ENTRIES: u64 = 256;
/// Comparisons that are remembered, for nodes that are ahead or behind.
pub const CLUSTER_DIGESTS_KEPT: usize = 64;
/// Nodes whose digests are compared.
pub const CLUSTER_NODES_MAX: usize = 100;
/// Milliseconds between two signs of life of the node that does what one does for all.
pub const LEASE_RENEW_MS: u64 = 4_000;
/// Milliseconds after its last sign of life for which that node believes to be it.
pub const LEASE_HELD_MS: u64 = 10_000;
/// Milliseconds without a sign of life after which another takes over: later than the first stops believing.
pub const LEASE_TERM_MS: u64 = 14_000;
/// Users in one message about presence: some tens of KB.
pub const CLUSTER_PRESENT_MAX: usize = 1000;
