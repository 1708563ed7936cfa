//! The program as a person at a shell meets it: what it prints, where, and its exit code.
//!
//! `help.txt` and `help-short.txt` are what `--help` and `-h` print. When the help changes on purpose,
//! write them anew: `wigeon --help > crates/wigeon/tests/cli/help.txt`, and read the difference.

mod bench;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// An empty working directory, gone at the end of the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("wigeon-cli-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// `wigeon` in this directory, with nothing in the environment that could be meant for it.
    fn wigeon(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wigeon"));
        command.current_dir(&self.0).args(arguments).env_remove("COLUMNS");
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("WIGEON_")) {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        Said::new(self.wigeon(arguments).output().unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn says(&self, code: i32, err: &str) {
        assert_eq!((self.code, self.err.trim_end(), self.out.as_str()), (Some(code), err, ""));
    }
}

/// A server that has said that it is ready.
struct Running {
    child: Child,
    /// What it printed, up to the line of the secret.
    lines: Vec<String>,
    address: String,
}

impl Running {
    fn start(directory: &Directory, arguments: &[&str]) -> Self {
        let mut command = directory.wigeon(&["--listen", "127.0.0.1:0"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
            let last = line.starts_with("  secret ");
            lines.push(line);
            if last {
                break;
            }
        }
        let address = lines.iter().find_map(|line| line.strip_prefix("  open      http://"));
        let address = address.unwrap_or_else(|| panic!("no address in {lines:?}")).to_owned();
        Self { child, lines, address }
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn help_reads_as_it_was_written() {
    let directory = Directory::new();
    for (flag, golden) in [("--help", include_str!("help.txt")), ("-h", include_str!("help-short.txt"))] {
        let said = directory.run(&[flag]);
        assert_eq!(said.code, Some(0));
        assert_eq!(said.out, golden, "wigeon {flag}");
    }
}

#[test]
fn the_reference_in_the_documents_is_what_the_program_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating.md");
    let document = fs::read_to_string(path).unwrap();
    let (_, rest) = document.split_once("<!-- wigeon config-reference -->\n").unwrap();
    let (embedded, _) = rest.split_once("<!-- end -->\n").unwrap();
    let printed = Directory::new().run(&["config-reference"]).out;
    assert_eq!(embedded.trim(), printed.trim(), "put the output of `wigeon config-reference` there");
}

#[test]
fn check_config_says_what_holds_and_who_said_so() {
    let directory = Directory::new();
    directory.write("wigeon.toml", "guests = \"off\"\ndata = \"mine\"\nlog = \"warn\"\n");
    let mut command = directory.wigeon(&["check-config", "--log", "debug"]);
    let said = Said::new(command.env("WIGEON_LISTEN", "127.0.0.1:1,[::1]:2").output().unwrap());
    let expected = "\
# wigeon.toml is good. Together with flags, environment and defaults:
listen = [\"127.0.0.1:1\", \"[::1]:2\"]                        # WIGEON_LISTEN
data = \"mine\"                                              # wigeon.toml
public_url = []                                            # default
allow_origin = []                                          # default
guests = \"off\"                                             # wigeon.toml
durability = \"fsync\"                                       # default
retention_days = 0                                         # default
nats = []                                                  # default
nats_creds = \"\"                                            # default
nats_ca = \"\"                                               # default
nats_stream = \"wigeon\"                                     # default
nats_replicas = 3                                          # default
stream_bytes_max = 131072                                  # default
script_transports = \"on\"                                   # default
previews = \"on\"                                            # default
preview_allow = []                                         # default
sockjs = \"on\"                                              # default
sockjs_response_limit = 131072                             # default
sockjs_client_url = \"\"                                     # default
sockjs_cookie = \"off\"                                      # default
log = \"debug\"                                              # --log
log_format = \"text\"                                        # default
";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (Some(0), expected, ""));

    // What it prints is itself a config file that means the same.
    directory.write("printed.toml", &said.out);
    let again = directory.run(&["check-config", "--config", "printed.toml"]);
    assert_eq!(again.code, Some(0));
    let settings = |text: &str| {
        text.lines().filter_map(|line| line.split_once('#')).map(|(s, _)| s.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(settings(&again.out), settings(&said.out));
    assert!(!directory.0.join("mine").exists(), "a check leaves nothing behind");
}

#[test]
fn every_command_that_reads_a_bad_config_file_shows_the_line_and_exits_with_2() {
    let directory = Directory::new();
    directory.write("wigeon.toml", "data = \"x\"\n\ngest = \"on\"\n");
    let shown = "error: wigeon.toml:3:1: unknown field `gest`\n  3 | gest = \"on\"\n    | ^^^^\n  hint: did you mean guests?";
    directory.run(&["check-config"]).says(2, shown);
    directory.run(&[]).says(2, shown);
    directory.run(&["token", "--user", "ann"]).says(2, shown);
    let missing = "error: cannot read the config file none.toml: No such file or directory (os error 2)";
    directory.run(&["check-config", "--config", "none.toml"]).says(2, missing);
}

#[test]
fn a_wrong_flag_or_variable_exits_with_2_and_says_what_was_expected() {
    let directory = Directory::new();
    let said = directory.run(&["serve", "--guests", "maybe"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.err.starts_with("error: invalid value 'maybe' for '--guests <WHO>': expected on, off or auto\n")
    );
    let said = directory.run(&["token", "--user", "a b"]);
    let expected =
        "error: invalid value 'a b' for '--user <ID>': a user id must match [A-Za-z0-9._-]{1,64}\n";
    assert!(said.code == Some(2) && said.err.starts_with(expected), "{}", said.err);
    let said = directory.run(&["token", "--user", "g:abc"]);
    let expected = "error: invalid value 'g:abc' for '--user <ID>': only the server speaks for guests\n";
    assert!(said.code == Some(2) && said.err.starts_with(expected), "{}", said.err);
    let said = directory.run(&["migrate"]);
    assert!(said.code == Some(2) && said.err.contains("<--to-nats|--from-nats>"), "{}", said.err);
    directory.run(&["migrate", "--to-nats"]).says(2, "error: say where NATS is, with --nats");
    let said = directory.wigeon(&[]).env("WIGEON_DURABILITY", "disk").output().unwrap();
    Said::new(said).says(2, "error: WIGEON_DURABILITY: invalid value 'disk': expected fsync, os or memory");
    let said = directory.wigeon(&[]).env("WIGEON_AUTH_SECRET", "short").output().unwrap();
    Said::new(said).says(2, "error: the secret in WIGEON_AUTH_SECRET has 5 bytes, it needs at least 32");
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 0, "nothing was started");
}

#[test]
fn a_token_needs_the_servers_secret() {
    let directory = Directory::new();
    directory.run(&["token", "--user", "ann"]).says(
        1,
        "error: there is no secret at ./wigeon-data/secret yet\n  hint: start wigeon once, or say where its data is with --data, or set WIGEON_AUTH_SECRET",
    );
    let mut command = directory.wigeon(&["token", "--user", "ann", "--name", "Ann", "--role", "service"]);
    let said = Said::new(command.env("WIGEON_AUTH_SECRET", "x".repeat(32)).output().unwrap());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(said.out.trim_end().split('.').count(), 3, "one token and nothing else: {}", said.out);
}

#[test]
fn a_taken_port_is_named_with_what_to_do() {
    let directory = Directory::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let said = directory.run(&["--listen", &address.to_string()]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    let error = said.err.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(error.contains(&address.to_string()), "{error}");
    let hint = format!("has port {}; stop it, or choose another: --listen 127.0.0.1:", address.port());
    assert!(said.err.contains(&hint), "{}", said.err);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named_with_what_to_do() {
    let directory = Directory::new();
    directory.write("file", "");
    directory.run(&["--data", "file/data"]).says(
        1,
        "error: cannot make the data directory file/data: Not a directory (os error 20)\n  hint: choose one that you may write, with --data",
    );
}

#[test]
fn a_data_directory_serves_one_server_at_a_time() {
    let directory = Directory::new();
    let first = Running::start(&directory, &[]);
    let second = directory.run(&["--listen", "127.0.0.1:0"]);
    drop(first);
    assert_eq!((second.code, second.out.as_str()), (Some(1), ""));
    assert!(
        second.err.contains("the data directory ./wigeon-data is in use by another wigeon"),
        "{}",
        second.err
    );
    assert!(
        second.err.contains("\n  hint: stop the other one, or choose another directory with --data"),
        "{}",
        second.err
    );
}

#[test]
fn a_first_start_says_where_everything_is_and_a_signal_ends_it_well() {
    for signal in ["-TERM", "-INT"] {
        let directory = Directory::new();
        let mut server = Running::start(&directory, &["--durability", "os"]);
        let expected = [
            format!("Wigeon {} is ready. Ctrl-C stops it.", env!("CARGO_PKG_VERSION")),
            format!("  open      http://{}", server.address),
            "  data      ./wigeon-data (durability os)".to_owned(),
            "  guests    on for this machine, off for others".to_owned(),
            "  secret    made at ./wigeon-data/secret".to_owned(),
        ];
        assert_eq!(server.lines, expected);
        assert_eq!(directory.run(&["token", "--user", "ann"]).code, Some(0));
        server.signal(signal);
        assert_eq!(server.child.wait().unwrap().code(), Some(0), "{signal}");

        let again = Running::start(&directory, &[]);
        assert_eq!(again.lines.last().unwrap(), "  secret    from ./wigeon-data/secret");
    }
}

#[test]
fn a_secret_that_others_can_read_stops_the_start() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    fs::create_dir(directory.0.join("wigeon-data")).unwrap();
    directory.write("wigeon-data/secret", &"x".repeat(40));
    fs::set_permissions(directory.0.join("wigeon-data/secret"), fs::Permissions::from_mode(0o644)).unwrap();
    directory.run(&[]).says(
        1,
        "error: ./wigeon-data/secret can be read by others (mode 0644); run: chmod 600 ./wigeon-data/secret",
    );
}

#[test]
fn what_is_made_in_a_directory_that_others_can_enter_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = Directory::new();
    let data = directory.0.join("wigeon-data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let server = Running::start(&directory, &[]);
    let files = fs::read_dir(&data).unwrap().map(|file| file.unwrap());
    let of_others =
        files.map(|file| (file.file_name(), file.metadata().unwrap().permissions().mode() & 0o077));
    let of_others: Vec<_> = of_others.collect();
    assert!(of_others.iter().any(|(name, _)| name == "wigeon.db"), "{of_others:?}");
    assert!(of_others.iter().all(|(_, rights)| *rights == 0), "{of_others:?}");
    drop(server);
}

#[test]
fn a_backup_and_a_check_say_what_they_did_and_what_is_wrong() {
    let directory = Directory::new();
    directory.run(&["check"]).says(
        2,
        "error: ./wigeon-data is no data directory of wigeon\n  hint: say where the server's data is with --data",
    );
    directory.run(&["backup", "copy"]).says(
        1,
        "error: ./wigeon-data is no data directory of wigeon: it has no wigeon.db\n  hint: say where the server's data is with --data",
    );
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 0, "nothing is made by looking");
    let server = Running::start(&directory, &[]);
    let made = directory.run(&["backup", "copy"]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    assert!(made.out.starts_with("copy holds everything up to position 0: "), "{}", made.out);
    assert!(made.out.ends_with(" KiB, with the secret\n"), "{}", made.out);
    directory.run(&["backup", "copy"]).says(
        1,
        "error: copy exists, and is no empty directory\n  hint: name a new directory for each backup",
    );
    directory.run(&["check"]).says(
        2,
        "error: the data directory ./wigeon-data is in use by a running wigeon\n  hint: stop it first",
    );
    drop(server);

    let right = directory.run(&["check"]);
    assert_eq!((right.code, right.err.as_str()), (Some(0), ""));
    assert!(
        right.out.starts_with("./wigeon-data is right\n  the log from its beginning to 0, "),
        "{}",
        right.out
    );
    let log = directory.0.join("wigeon-data/log/00000000000000000001.log");
    let mut bytes = fs::read(&log).unwrap();
    bytes[3] = 1;
    fs::write(&log, bytes).unwrap();
    // Nothing whole follows: a torn end, as a crash leaves it.
    assert_eq!(directory.run(&["check"]).code, Some(0));
    let db = fs::read(directory.0.join("wigeon-data/wigeon.db")).unwrap();
    fs::write(directory.0.join("wigeon-data/log/00000000000000000009.log"), [0; 16]).unwrap();
    let wrong = directory.run(&["check", "--json"]);
    assert_eq!((wrong.code, wrong.err.as_str()), (Some(1), ""));
    let told: serde_json::Value = serde_json::from_str(&wrong.out).unwrap();
    assert_eq!(told["right"], false);
    assert!(told["log"].as_str().unwrap().contains("00000000000000000001.log: damaged at byte 0"), "{told}");
    assert_eq!(fs::read(directory.0.join("wigeon-data/wigeon.db")).unwrap(), db, "a check changes nothing");
}
