//! What the stories of a single server know as their server: here three nodes behind a proxy that sends each
//! request to another one.

use crate::link::Link;
use crate::nats::Nats;
use crate::node::Node;
use crate::proxy::Proxy;
use std::process::Command;
use wigeon_client::Client;

#[allow(unused_imports, reason = "the stories take from here what they take from a single server")]
pub(crate) use crate::single::{PATIENCE, SECRET, Scratch, program, send, soon, until};

const NODES: usize = 3;

/// Three nodes, three servers of NATS, one address. Nodes first, so that they do not see NATS end.
#[derive(Debug)]
pub(crate) struct Server {
    proxy: Proxy,
    pub(crate) nodes: Vec<Node>,
    pub(crate) links: Vec<Link>,
    pub(crate) nats: Nats,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(environment: &[(&str, &str)]) -> Self {
        // Nodes are not told of ways round their links.
        let nats = Nats::start_with(NODES, &["--no_advertise"]).await;
        let (mut links, mut nodes) = (Vec::new(), Vec::new());
        for _ in 0..NODES {
            let link = Link::start(&nats.ports()).await;
            nodes.push(Node::new(link.urls(), nats.count(), environment));
            links.push(link);
        }
        let proxy = Proxy::start(nodes.iter().map(|node| node.port).collect()).await;
        let mut server = Self { proxy, nodes, links, nats };
        // All at once, so that they meet in making the stream.
        server.restart().await;
        server
    }

    /// kill -9 of every node.
    pub(crate) fn kill(&mut self) {
        self.nodes.iter_mut().for_each(Node::kill);
    }

    /// Starts every node again, and waits until they take traffic.
    pub(crate) async fn restart(&mut self) {
        self.nodes.iter_mut().for_each(Node::spawn);
        for node in &mut self.nodes {
            node.ready().await;
        }
    }

    pub(crate) fn base(&self) -> String {
        self.proxy.base()
    }

    pub(crate) fn anybody(&self) -> Client {
        Client::new(&self.base()).expect("a base")
    }

    pub(crate) fn user(&self, id: &str) -> Client {
        self.anybody().with_token(&token(&["--user", id]))
    }

    pub(crate) fn service(&self) -> Client {
        self.anybody().with_token(&token(&["--user", "backend", "--role", "service"]))
    }

    /// Somebody at each node.
    pub(crate) fn witnesses(&self) -> Vec<Client> {
        (0..self.nodes.len()).map(|node| self.user_at(node, "witness")).collect()
    }

    /// A client of one node alone.
    pub(crate) fn user_at(&self, node: usize, id: &str) -> Client {
        Client::new(&self.nodes[node].base()).expect("a base").with_token(&token(&["--user", id]))
    }
}

/// A token for somebody.
pub(crate) fn token(who: &[&str]) -> String {
    let output = Command::new(program()).arg("token").args(who).env("WIGEON_AUTH_SECRET", SECRET).output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
