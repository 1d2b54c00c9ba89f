//! Servers of paths and operations: no call goes to a host that the caller has not named.

use upvest_constructs::Server;
use upvest_constructs::servers::{Client, NOTES};

/// The servers in the note about the operation.
fn noted(operation: &str) -> Option<&str> {
    let start = format!("{operation} has its own servers (`");
    let note = NOTES.iter().find_map(|note| note.split_once(&start));
    let servers = note.and_then(|(_, rest)| rest.split_once('`'));
    servers.map(|(servers, _)| servers)
}

#[tokio::test]
async fn servers_of_a_path_are_noted_for_each_operation() {
    let (client, server) = Server::answering::<Client>("");
    client.get_file().name("a").send().await.unwrap();
    assert_eq!(server.last().url, "http://api.invalid/files/a");
    client.replace_file().name("b").send().await.unwrap();
    assert_eq!(server.last().url, "http://api.invalid/files/b");
    assert_eq!(noted("getFile"), Some("https://files.invalid"));
    assert_eq!(noted("replaceFile"), Some("https://upload.invalid"));
}

#[tokio::test]
async fn a_relative_server_of_an_operation_is_noted() {
    let (client, server) = Server::answering::<Client>("");
    client.get_relative().send().await.unwrap();
    assert_eq!(server.last().url, "http://api.invalid/relative");
    assert_eq!(noted("getRelative"), Some("/v2"));
}

#[tokio::test]
async fn a_server_with_variables_is_noted_as_it_is() {
    let (client, server) = Server::answering::<Client>("");
    client.get_regional().send().await.unwrap();
    assert_eq!(server.last().url, "http://api.invalid/regional");
    assert_eq!(
        noted("getRegional"),
        Some("https://{region}.invalid/{version}")
    );
}

#[tokio::test]
async fn servers_of_a_path_item_of_a_component_are_noted() {
    let (client, server) = Server::answering::<Client>("");
    client.get_shared().send().await.unwrap();
    assert_eq!(server.last().url, "http://api.invalid/shared");
    assert_eq!(noted("getShared"), Some("https://shared.invalid"));
    assert_eq!(noted("getUsual"), None);
}
