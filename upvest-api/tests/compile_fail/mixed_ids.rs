use upvest_api::types::{AccountId, UserId};

fn close(_: AccountId) {}

fn main() {
    let user: UserId = "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b".parse().unwrap();
    close(user);
}
