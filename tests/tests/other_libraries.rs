//! Ids, enums, codes and decimals can be stored in databases and described in schemas by other libraries.

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use upvest_api::types::{CurrencyCode, Decimal, Isin, OrderId, OrderSide, OrderStatus};
use upvest_tests::servers::Postgres;

type Row = (
    OrderId,
    OrderSide,
    Option<OrderStatus>,
    CurrencyCode,
    Isin,
    Decimal,
    Option<Decimal>,
);

fn row() -> Row {
    let id = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11".parse().unwrap();
    let price = "12345678901234567890.00000001".parse().unwrap();
    let isin = "IE00B4L5Y983".parse().unwrap();
    // An unknown status and an invalid currency code, as a server may send them.
    let currency = serde_json::from_value(json!("X?")).unwrap();
    (
        id,
        OrderSide::Buy,
        Some("SETTLING".parse().unwrap()),
        currency,
        isin,
        price,
        None,
    )
}

const INSERT: &str = "insert into orders values ($1, $2, $3, $4, $5, $6, $7)";

#[tokio::test]
async fn sqlite_keeps_all_of_them_exactly() {
    let mut db = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let create = "create table orders (id blob, side text, status text, currency text, isin text, price text, fee text)";
    sqlx::query(create).execute(&mut db).await.unwrap();
    let (id, side, status, currency, isin, price, fee) = row();
    let insert = sqlx::query(INSERT)
        .bind(id)
        .bind(side)
        .bind(status)
        .bind(currency)
        .bind(isin)
        .bind(price);
    insert.bind(fee).execute(&mut db).await.unwrap();
    let read: Row = sqlx::query_as("select * from orders")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(read.5.to_string(), row().5.to_string());
    assert_eq!(&read, &row());

    sqlx::query("update orders set price = 'a lot'")
        .execute(&mut db)
        .await
        .unwrap();
    let error = sqlx::query_as::<_, Row>("select * from orders")
        .fetch_one(&mut db)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("invalid decimal number \"a lot\""),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_all_of_them_exactly_in_its_own_types() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let mut db = PgConnection::connect(&server.url()).await.unwrap();
    let create = "create table orders \
        (id uuid, side text, status text, currency text, isin text, price numeric, fee numeric)";
    sqlx::query(create).execute(&mut db).await.unwrap();
    let (id, side, status, currency, isin, price, fee) = row();
    let insert = sqlx::query(INSERT)
        .bind(id)
        .bind(side)
        .bind(status)
        .bind(currency)
        .bind(isin)
        .bind(price);
    insert.bind(fee).execute(&mut db).await.unwrap();
    let read: Row = sqlx::query_as("select * from orders")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(read.5.to_string(), row().5.to_string());
    assert_eq!(&read, &row());
    let ids = [id, OrderId::new(uuid::Uuid::nil())];
    let several =
        sqlx::query_scalar("select count(*) from orders where id = any($1)").bind(&ids[..]);
    let found: i64 = several.fetch_one(&mut db).await.unwrap();
    assert_eq!(found, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_numeric_of_postgres_is_read_exactly_or_not_at_all() {
    let Some(server) = Postgres::start().unwrap() else {
        return;
    };
    let mut db = PgConnection::connect(&server.url()).await.unwrap();
    for text in [
        "0",
        "0.00",
        "7",
        "-7.50",
        "10000",
        "0.0001",
        "123456789012.3400",
        "1e27",
        "79228162514264337593543950335",
    ] {
        let number: Decimal = sqlx::query_scalar("select $1::text::numeric")
            .bind(text)
            .fetch_one(&mut db)
            .await
            .unwrap();
        let again: String = sqlx::query_scalar("select $1::numeric::text")
            .bind(number)
            .fetch_one(&mut db)
            .await
            .unwrap();
        let expected = if text == "1e27" {
            "1000000000000000000000000000"
        } else {
            text
        };
        assert_eq!(number.to_string(), expected);
        assert_eq!(again, expected);
    }
    for text in [
        "1e29",
        "0.00000000000000000000000000001",
        "NaN",
        "1.00000000000000000000000000001",
    ] {
        let read: Result<Decimal, _> = sqlx::query_scalar("select $1::text::numeric")
            .bind(text)
            .fetch_one(&mut db)
            .await;
        assert!(read.is_err(), "{text}: {read:?}");
    }
}

#[test]
fn schemas_say_what_a_value_looks_like_and_let_an_enum_grow() {
    fn both<T: schemars_1::JsonSchema + utoipa::ToSchema>() -> [Value; 2] {
        let schemars = serde_json::to_value(schemars_1::schema_for!(T)).unwrap();
        [schemars, serde_json::to_value(T::schema()).unwrap()]
    }
    for schema in both::<OrderId>() {
        assert_eq!(&schema["type"], &json!("string"), "{schema}");
        assert_eq!(&schema["format"], &json!("uuid"), "{schema}");
    }
    for schema in both::<Decimal>() {
        assert_eq!(&schema["type"], &json!("string"), "{schema}");
        assert_eq!(&schema["format"], &json!("decimal"), "{schema}");
    }
    for schema in both::<OrderSide>() {
        assert_eq!(schema["type"], "string");
        assert_eq!(
            schema["description"],
            "One of `BUY` `SELL`, or a value that was added later."
        );
        assert_eq!(schema.get("enum"), None, "a value of tomorrow is valid");
    }
    for schema in both::<Isin>() {
        assert!(
            schema["description"]
                .as_str()
                .unwrap()
                .starts_with("ISIN: two capital letters"),
            "{schema}"
        );
    }
}
