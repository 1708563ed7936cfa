//! `wigeon bench`: each scenario in small against a real server, and what it says when something is wrong.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpSocket;

use super::{Directory, Running, Said};

/// Runs a scenario that must go well; its JSON.
fn bench(arguments: &str) -> Value {
    let directory = Directory::new();
    let mut all: Vec<_> = ["bench"].into_iter().chain(arguments.split(' ')).collect();
    all.extend(["--json", "-", "--durability", "memory"]);
    let said = directory.run(&all);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{arguments}\n{}", said.out);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    for nothing in ["lost", "doubled", "refused", "failed"] {
        assert_eq!(report[nothing], 0, "{arguments}: {nothing}");
    }
    assert_eq!(report["delivered"], report["expected"], "{arguments}");
    report
}

/// The phase of this name.
fn phase<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut phases = report["phases"].as_array().unwrap().iter();
    phases.find(|phase| phase["name"] == name).unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[test]
fn fanout_reaches_every_reader_by_each_transport_and_pace() {
    for arguments in [
        "fanout --readers 20 --messages 50",
        "fanout --readers 20 --messages 50 --window 16 --size 3000",
        "fanout --readers 20 --messages 50 --rate 500",
        "sse --readers 20 --messages 50",
        "longpoll --readers 20 --messages 50 --window 4",
    ] {
        let report = bench(arguments);
        // The first message brings the room into being, before anybody reads it.
        assert_eq!((&report["messages"], &report["delivered"]), (&51.into(), &1000.into()), "{arguments}");
        let measured = phase(&report, "measured");
        assert_eq!((&measured["deliveries"], &measured["latency_us"]["count"]), (&1000.into(), &1000.into()));
        assert_eq!(report["acknowledged_us"]["count"], 50);
        assert!(report["memory"]["rss_kib_connected"].as_u64().unwrap() > 1000, "{report}");
        assert!(measured["server_cpu_us_per_delivery"].as_f64().unwrap() > 0.0, "{report}");
    }
}

#[test]
fn fanout_for_a_time_counts_what_came_within_it() {
    let report = bench("fanout --readers 5 --seconds 1 --warm-up 0 --rate 100");
    let deliveries = phase(&report, "measured")["deliveries"].as_u64().unwrap();
    assert!((5..=5 * 101 + 5).contains(&deliveries), "{report}");
}

#[test]
fn relay_sends_exactly_as_many_as_it_was_told() {
    for arguments in
        ["relay --pairs 10 --messages 50 --window 2", "relay --pairs 10 --messages 50 --rate 500"]
    {
        let report = bench(arguments);
        assert_eq!((&report["messages"], &report["delivered"]), (&60.into(), &50.into()), "{arguments}");
        assert_eq!(report["connections"], 20);
    }
}

#[test]
fn idle_connections_are_alive_at_the_end() {
    for transport in ["websocket", "sse", "longpoll"] {
        let report = bench(&format!("idle --readers 20 --hold 1 --transport {transport}"));
        // Ten more come before, so that what the server makes once is not counted.
        assert_eq!(report["delivered"], 30 * 5);
        assert_eq!(phase(&report, "silence")["deliveries"], 0);
        assert!(report["idle"]["connected_in_s"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn everybody_is_level_after_a_storm() {
    for transport in ["websocket", "sse", "longpoll"] {
        let arguments = "resume-storm --clients 25 --sharing 10 --rooms 3 --behind 7 --witnesses 5 --quiet 1";
        let report = bench(&format!("{arguments} --transport {transport}"));
        let storm = &report["storm"];
        assert_eq!((&storm["clients"], &storm["behind"]), (&25.into(), &7.into()));
        assert_eq!(storm["level_after_us"]["count"], 25, "{report}");
        assert!(storm["all_level_after_s"].as_f64().unwrap() > 0.0, "{report}");
        assert!(report["delivered"].as_u64().unwrap() >= 25 * 7 + 5 * 40, "{report}");
        assert!(phase(&report, "quiet")["latency_us"]["count"].as_u64().unwrap() > 0);
    }
}

#[test]
fn stalled_readers_catch_up() {
    for transport in ["websocket", "sse", "longpoll"] {
        let report = bench(&format!(
            "slow-readers --readers 6 --stalled 2 --seconds 1 --rate 50 --size 1000 --transport {transport}"
        ));
        assert_eq!(report["slow"]["stalled"], 2);
        assert!(report["slow"]["missed_each"].as_u64().unwrap() > 10, "{report}");
        assert!(phase(&report, "stalled")["latency_us"]["count"].as_u64().unwrap() > 0);
    }
}

#[test]
fn every_question_to_an_archive_is_answered_right_alone_and_beside_writers() {
    let report = bench(
        "archive --rooms 40 --messages 3000 --users 5 --rooms-each 10 --rooms-of-busiest 30 --requests 9 --at-once 2 --rate 100",
    );
    let archive = &report["archive"];
    assert_eq!(archive["filled"]["messages"], 3000);
    assert!(archive["filled"]["disk_bytes_per_message"].as_f64().unwrap() > 50.0, "{report}");
    for when in ["alone", "writing"] {
        let questions = archive[when].as_array().unwrap();
        assert!(questions.len() >= 5, "{report}");
        // As often as was asked, or as there is time for on a busy machine.
        let count = |question: &Value| question["latency_us"]["count"].as_u64().unwrap();
        assert!(questions.iter().all(|question| (1..=9).contains(&count(question))), "{report}");
    }
    assert!(report["acknowledged_us"]["count"].as_u64().unwrap() > 0, "somebody wrote meanwhile: {report}");
    assert_eq!(report["transport"], "http");
}

#[test]
fn a_message_to_a_large_group_is_one_record_and_read_marks_reach_only_who_made_them() {
    for transport in ["websocket", "sse", "longpoll"] {
        let report =
            bench(&format!("group --members 250 --readers 10 --messages 20 --transport {transport}"));
        let group = &report["group"];
        assert_eq!((&group["members"], &group["records_per_message"]), (&250.into(), &1.0.into()));
        assert_eq!(phase(&report, "measured")["deliveries"], 200);
        let receipts = &group["receipts"];
        assert_eq!((&receipts["count"], &receipts["records_per_receipt"]), (&250.into(), &1.0.into()));
        let frames = receipts["frames_per_reader"].as_f64().unwrap();
        // The own mark, and a heartbeat or a count of unread messages now and then.
        assert!((1.0..4.0).contains(&frames), "{report}");
    }
}

#[test]
fn a_cluster_is_measured_beside_one_machine_and_a_new_node_catches_up() {
    let directory = Directory::new();
    let arguments =
        "bench cluster --nodes 2 --pairs 3 --rate 50 --producers 8 --seconds 1 --entries 12000 --scratch .";
    let said =
        directory.run(&[&arguments.split(' ').collect::<Vec<_>>()[..], &["--json", "run.json"]].concat());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""), "{}", said.out);
    let report: Value = serde_json::from_slice(&fs::read(directory.0.join("run.json")).unwrap()).unwrap();

    let cluster = &report["cluster"];
    let installations = cluster["installations"].as_array().unwrap();
    let names: Vec<_> = installations.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["one machine", "1 node, 1 NATS", "2 nodes, 3 NATS"]);
    for one in installations {
        let (talk, sends) = (&one["talk"], &one["sends"]);
        for time in [&talk["acknowledged_us"], &talk["delivered_us"], &sends["acknowledged_us"]] {
            assert!(time["count"].as_u64().unwrap() > 0 && time["p99_9"].as_f64().unwrap() > 0.0, "{one}");
        }
        assert!(sends["nodes"]["us_each"].as_f64().unwrap() > 0.0, "{one}");
        assert_eq!(sends["nats"]["us_each"].is_f64(), one["nats_servers"] != 0, "{one}");
    }
    let caught_up = &cluster["catch_up"];
    assert!(caught_up["node"]["us_each"].as_f64().unwrap() > 0.0, "{report}");
    let count = |of: &Value| of.as_u64().unwrap();
    let (entries, messages) = (count(&caught_up["entries"]), count(&report["messages"]));
    assert!(entries >= 12_000, "{report}");
    // A room for each sender, each pair and each of those who fill; nobody is there yet when they are made. Else
    // both nodes and the new one have all of the cluster, and the others have all of theirs.
    let rooms = 8 + 3 + 8;
    let whole = 3 * (entries - rooms) + (messages - entries - 2 * rooms);
    assert!(count(&report["delivered"]) > whole, "{report}");
    assert_eq!((&report["delivered"], &report["durability"]), (&report["expected"], &"fsync".into()));

    assert!(said.out.starts_with("cluster: 3 pairs at 50 messages a second; then 8 senders"), "{}", said.out);
    let rows: Vec<&str> =
        said.out.lines().filter_map(|line| line.split("   ").next()).map(str::trim).collect();
    let labels =
        ["acknowledged p50", "delivered p50", "sends a second", "nodes' CPU", "NATS' CPU", "caught up"];
    for label in labels {
        assert!(rows.contains(&label), "{label} in {}", said.out);
    }
    let line = |label: &str| said.out.lines().find(|line| line.trim().starts_with(label)).unwrap();
    assert_eq!(
        line("delivered p50").matches(" ms)").count(),
        2,
        "what is added to one machine:\n{}",
        said.out
    );
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1, "nothing is left behind but the report");
}

#[test]
fn a_cluster_without_nats_says_what_to_install() {
    let directory = Directory::new();
    let said = Said::new(directory.wigeon(&["bench", "cluster"]).env("PATH", "").output().unwrap());
    said.says(
        1,
        "error: no nats-server in PATH\n  hint: a cluster keeps its log in NATS: install the package nats-server of your system, or the program from https://nats.io/download",
    );
}

#[test]
fn a_named_server_is_measured_by_its_process_and_keeps_its_life() {
    let directory = Directory::new();
    let server = Running::start(&directory, &[]);
    let (url, pid) = (format!("http://{}", server.address), server.child.id().to_string());
    let run = |more: &[&str]| {
        let arguments =
            ["bench", "fanout", "--readers", "5", "--messages", "10", "--url", &url, "--json", "-"];
        directory.run(&[&arguments, more].concat())
    };
    let said = run(&["--secret-file", "wigeon-data/secret", "--pid", &pid]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&report["delivered"], &report["server"]), (&50.into(), &url.clone().into()));
    assert!(phase(&report, "measured")["server_cpu_us_per_delivery"].is_f64());

    let token = directory.run(&["token", "--user", "backend", "--role", "service"]).out;
    let said = run(&["--token", token.trim()]);
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert!(report.get("memory").is_none() && report.get("durability").is_none(), "{report}");

    let refused = run(&["--token", "no.such.token"]);
    let hint = format!(
        "error: {url}: status 401: unauthenticated: a valid token or ticket is needed\n  hint: the token must be of that server and of a service: `wigeon token --user bench --role service` in its directory"
    );
    refused.says(1, &hint);
    let user = directory.run(&["token", "--user", "ann"]).out;
    let said = run(&["--token", user.trim()]);
    assert!(said.code == Some(1) && said.err.contains("of a service"), "{}", said.err);
    directory
        .run(&["bench", "fanout", "--url", &url])
        .says(1, "error: the server wants to know who asks\n  hint: --secret-file with the file `secret` of its data directory, or --token with what `wigeon token --user bench --role service` prints there");
    run(&["--secret-file", "wigeon-data/secret", "--pid", "999999999"])
        .says(1, "error: no process 999999999 on this machine, or no /proc to see it in");
}

#[test]
fn the_table_the_file_and_the_page_say_the_same() {
    let directory = Directory::new();
    // At a rate that a slow disk is level with, too.
    let arguments = "bench slow-readers --readers 4 --stalled 1 --seconds 1 --rate 50 --size 1000";
    let arguments: Vec<_> = arguments.split(' ').collect();
    let said = directory.run(&[&arguments[..], &["--json", "run.json", "--plot", "run.html"]].concat());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_slice(&fs::read(directory.0.join("run.json")).unwrap()).unwrap();
    let count = report["delivered"].as_u64().unwrap();
    let verdict = format!("yes, {count} of {count} delivered once and in order");
    assert!(said.out.replace(',', "").contains(&verdict.replace(',', "")), "{}", said.out);
    assert!(said.out.starts_with("slow-readers: 4 readers of one room"), "{}", said.out);
    let page = fs::read_to_string(directory.0.join("run.html")).unwrap();
    assert!(page.replace(',', "").contains(&verdict.replace(',', "")));
    for part in
        ["Latency by percentile", "Deliveries a second", "Memory of the server", "catching up", "</html>"]
    {
        assert!(page.contains(part), "{part}");
    }
    // Complete in one file, and nothing in it runs.
    for outside in ["src=", "href=", "url(", "<script", "NaN", "inf"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_started() {
    let directory = Directory::new();
    // Bound, and so nobody else's, but not listening.
    let unheard = TcpSocket::new_v4().unwrap();
    unheard.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = unheard.local_addr().unwrap();
    let says = |arguments: &str, code: i32, err: &str| {
        let arguments: Vec<_> = ["bench"].into_iter().chain(arguments.split(' ')).collect();
        let said = directory.run(&arguments);
        assert_eq!((said.code, said.out.as_str()), (Some(code), ""), "{arguments:?}");
        assert!(said.err.starts_with(err), "{arguments:?}: {}", said.err);
    };
    let nobody = format!(
        "error: http://{closed}: no connection: Connection refused (os error 111)\n  hint: is a wigeon running there?\n"
    );
    says(&format!("fanout --url http://{closed} --token x.y.z"), 1, &nobody);
    says(
        "fanout --url https://chat.example",
        1,
        "error: https://chat.example is not http://host:port; without TLS",
    );
    says(
        "fanout --readers 100001",
        2,
        "error: invalid value '100001' for '--readers <N>': 100001 is not in 1..=100000",
    );
    says(
        "archive --rooms 100",
        1,
        "error: nobody can be in 2000 of 100 rooms\n  hint: a larger --rooms, or smaller --rooms-each and --rooms-of-busiest",
    );
    says("fanout --size 31", 2, "error: invalid value '31' for '--size <BYTES>': 31 is not in 32..=65536");
    says("fanout --window 2 --rate 5", 2, "error: the argument '--window <N>' cannot be used with '--rate");
    says(
        "fanout --server-cpus x",
        2,
        "error: invalid value 'x' for '--server-cpus <CPUS>': write processors like 0 or 0,2 or 4-7",
    );
    says("fanout --plot no/where.html", 1, "error: cannot write no/where.html: No such file or directory");
    says("fanout --scratch no/where", 1, "error: cannot make a directory in no/where: ");
    says(
        "slow-readers --readers 5 --stalled 5",
        1,
        "error: --stalled must be less than --readers: somebody has to go on",
    );
    says(
        "resume-storm --clients 2000 --sharing 1 --behind 1000",
        1,
        "error: 2000000 messages would have to be written first, and 1000000 is the most\n  hint: a smaller --behind, or a larger --sharing",
    );
}

#[test]
fn too_few_open_files_are_named_with_what_to_do() {
    let directory = Directory::new();
    let script = "ulimit -n 64; exec \"$0\" bench fanout --readers 1000";
    let mut shell = Command::new("sh");
    shell.current_dir(&directory.0).args(["-c", script, env!("CARGO_BIN_EXE_wigeon")]);
    Said::new(shell.output().unwrap()).says(
        1,
        "error: 1000 connections need 1100 open files, and this shell allows 64\n  hint: ask for fewer, or raise the limit: as root `ulimit -n 1100`, for good in /etc/security/limits.conf",
    );
}

#[test]
fn a_signal_leaves_neither_a_server_nor_its_data_behind() {
    ends_by("-INT", "error: interrupted\n");
    ends_by("-TERM", "error: terminated\n");
}

fn ends_by(signal: &str, words: &str) {
    let directory = Directory::new();
    fs::create_dir(directory.0.join("scratch")).unwrap();
    let mut child = directory
        .wigeon(&["bench", "idle", "--readers", "5", "--hold", "600", "--scratch", "scratch"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    let until = Instant::now() + Duration::from_secs(30);
    let server = loop {
        assert!(Instant::now() < until, "no server came");
        let pid = fs::read_to_string(&children).unwrap_or_default().trim().to_owned();
        if !pid.is_empty() {
            break pid;
        }
        thread::sleep(Duration::from_millis(5));
    };
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(1), words));
    assert_eq!(fs::read_dir(directory.0.join("scratch")).unwrap().count(), 0);
    assert!(!fs::exists(format!("/proc/{server}")).unwrap(), "the server goes with its run");
}

/// What a liar between server and readers does to the room's sixth message.
#[derive(Debug, Clone, Copy)]
enum Lie {
    Drop,
    Double,
    Close,
}

/// A proxy in front of `server` that lies to whoever reads. Ends with the test's process.
fn liar(server: &str, lie: Lie) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = server.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let upstream = TcpStream::connect(&server).unwrap();
            let (from, to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            thread::spawn(move || pass(from, to, |bytes| Some(bytes.to_vec())));
            thread::spawn(move || {
                pass(upstream, client, |bytes| {
                    if !bytes.windows(16).any(|part| part == b"@wg0000000000006") {
                        return Some(bytes.to_vec());
                    }
                    match lie {
                        Lie::Drop => Some(Vec::new()),
                        Lie::Double => Some([bytes, bytes].concat()),
                        Lie::Close => None,
                    }
                });
            });
        }
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream, change: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let Some(bytes) = change(&buffer[..length]) else { break };
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

#[test]
fn a_message_that_is_lost_or_doubled_and_a_connection_that_ends_fail_the_run() {
    let directory = Directory::new();
    let server = Running::start(&directory, &["--durability", "memory"]);
    for (lie, counter) in [(Lie::Drop, "lost"), (Lie::Double, "doubled"), (Lie::Close, "failed")] {
        let url = format!("http://{}", liar(&server.address, lie));
        let arguments =
            "bench fanout --readers 3 --messages 20 --rate 100 --secret-file wigeon-data/secret --json -";
        let said = directory.run(&[&arguments.split(' ').collect::<Vec<_>>()[..], &["--url", &url]].concat());
        assert_eq!(said.code, Some(1), "{lie:?}: {}", said.err);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        let count = |name: &str| report[name].as_u64().unwrap();
        assert!(count(counter) >= 3, "{lie:?}: {report}");
        let words = format!(
            "{} lost, {} doubled, 0 refused, {} failed",
            count("lost"),
            count("doubled"),
            count("failed")
        );
        assert!(said.err.starts_with("error: no, ") && said.err.contains(&words), "{lie:?}: {}", said.err);
        assert_eq!(count("failed") > 0, matches!(lie, Lie::Close), "{lie:?}: {report}");
        assert_eq!(count("doubled") > 0, matches!(lie, Lie::Double), "{lie:?}: {report}");
        assert_eq!(count("lost") == 0, matches!(lie, Lie::Double), "{lie:?}: {report}");
    }
}
