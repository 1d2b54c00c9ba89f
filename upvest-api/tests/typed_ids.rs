//! A wrong id type does not compile, and programs cannot create an unknown value of an enum.

use upvest_api::types::{AccountId, OrderId, UserId};
use uuid::Uuid;

#[test]
fn mixing_up_ids_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}

#[test]
fn an_id_is_a_uuid_with_a_name() {
    let uuid = Uuid::from_u128(0x5f1c_9f5e_2a35_4c5e_8a14_9d0c_6a9a_5d1b);
    let id = OrderId::from(uuid);
    assert_eq!(Uuid::from(id), uuid);
    assert_eq!(id.to_string(), "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b");
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(OrderId::try_from(id.to_string()), Ok(id));
    assert_eq!(
        format!("{id:?}"),
        "OrderId(5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b)"
    );
    assert_eq!(
        serde_json::to_string(&id).expect("it can be written"),
        "\"5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b\""
    );
    assert!(OrderId::new(Uuid::nil()) < id);
}

#[test]
fn one_thing_has_one_id_type_however_the_field_is_called() {
    fn account(_: &AccountId) {}
    fn user(_: &UserId) {}
    let transfer: upvest_api::types::AccountTransferCreate =
        serde_json::from_str(r#"{"source_account_id": "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b"}"#)
            .expect("it fits");
    account(&transfer.source_account_id.expect("it is set"));
    let order: upvest_api::types::Order = serde_json::from_str(
        r#"{"id": "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b", "user_id": "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b"}"#,
    )
    .expect("it fits");
    user(&order.user_id.expect("it is set"));
    let webhook: upvest_api::types::WebhookSubscription =
        serde_json::from_str(r#"{"id": "5f1c9f5e-2a35-4c5e-8a14-9d0c6a9a5d1b"}"#).expect("it fits");
    let _: upvest_api::types::WebhookId = webhook.id;
}
