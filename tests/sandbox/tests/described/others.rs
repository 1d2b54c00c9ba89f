//! APIs in other styles than Upvest's.

use serde_json::{Value, json};
use upvest_sandbox::Sandbox;

use crate::api::{Api, Response, own, plain};
use crate::coverage::Coverage;

async fn shop() -> Api {
    Api::start(plain(), &own("shop.yaml")).await
}

async fn pets() -> Api {
    Api::start(plain(), &own("pets.yaml")).await
}

async fn library() -> Api {
    Api::start(plain(), &own("library.json")).await
}

/// Calls an operation, whose response must be as described.
async fn call(api: &Api, id: &str, path: &str, body: Option<Value>) -> Response {
    let operation = api.operation(id);
    let reply = api.call(&operation, path, body.as_ref()).await;
    assert_eq!(reply.mismatch, None, "{id} {path}: {}", reply.text);
    reply
}

#[tokio::test]
async fn a_shop_is_served_as_described() {
    let api = shop().await;
    let coverage = Coverage::of(&api).await;
    assert_eq!(coverage.problems(), [("", ""); 0]);
}

#[tokio::test]
async fn a_library_is_served_as_described() {
    let api = library().await;
    let coverage = Coverage::of(&api).await;
    assert_eq!(coverage.problems(), [("", ""); 0]);
}

#[tokio::test]
async fn pets_are_served_as_described() {
    let api = pets().await;
    let coverage = Coverage::of(&api).await;
    assert_eq!(coverage.problems(), [("", ""); 0]);
}

#[tokio::test]
async fn the_id_of_the_updated_row_can_be_in_the_body() {
    let api = pets().await;
    let pet = |name: &str, status: &str| json!({ "id": 7, "name": name, "photoUrls": [], "status": status });
    call(&api, "addPet", "/pet", Some(pet("Rex", "available"))).await;
    call(&api, "updatePet", "/pet", Some(pet("Max", "sold"))).await;
    let read = call(&api, "getPetById", "/pet/7", None).await.json();
    assert_eq!(read, pet("Max", "sold"));
    let path = "/pet/findByStatus?status=";
    let sold = call(&api, "findPetsByStatus", &format!("{path}sold"), None).await;
    assert_eq!(sold.json(), json!([read]));
    let available = call(&api, "findPetsByStatus", &format!("{path}available"), None).await;
    assert_eq!(available.json(), json!([]));
}

#[tokio::test]
async fn a_form_can_have_objects_and_lists() {
    let api = pets().await;
    let form = json!({ "username": "ann", "address[city]": "Bonn", "tags[]": "a", "tags[1]": "b" });
    let user = call(&api, "createUser", "/user", Some(form)).await.json();
    let read = call(&api, "getUserByName", "/user/ann", None).await.json();
    assert_eq!(read, user);
    assert_eq!(read["address"]["city"], "Bonn");
    assert_eq!(read["tags"], json!(["a", "b"]));
}

#[tokio::test]
async fn a_token_is_granted_where_there_are_no_scopes() {
    let api = pets().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", api.sandbox.client_id()),
        ("client_secret", api.sandbox.client_secret()),
    ];
    let request = http.post(format!("{}/auth/token", api.sandbox.url()));
    let token: Value = request
        .form(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let request = http.get(format!("{}/store/inventory", api.sandbox.url()));
    let request = request.bearer_auth(token["access_token"].as_str().unwrap());
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn without_security_no_token_is_needed() {
    let sandbox = Sandbox::builder().description(own("shop.yaml"));
    let sandbox = sandbox.start().await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    // The paths are also served under the path of the description's server.
    for path in ["/products", "/v2/products"] {
        let url = format!("{}{path}", sandbox.url());
        let response = http.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn an_api_key_is_required_where_described() {
    let sandbox = Sandbox::builder().description(own("library.json"));
    let sandbox = sandbox.start().await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = || http.get(format!("{}/v1/books", sandbox.url()));
    assert_eq!(request().send().await.unwrap().status(), 401);
    let with_key = request().header("x-api-key", "any").send().await;
    assert_eq!(with_key.unwrap().status(), 200);
}

#[tokio::test]
async fn a_created_resource_can_be_read_listed_changed_and_deleted() {
    let api = shop().await;
    let product = json!({ "name": "Pen", "price": 1.5, "dimensions": { "width": 1, "height": 9 } });
    let created = call(&api, "createProduct", "/products", Some(product)).await;
    assert_eq!(created.status, 201);
    let location = created.headers["location"].to_str().unwrap();
    assert_eq!(location, "/products/1");
    let product = created.json();
    assert_eq!(product["number"], 1);
    assert_eq!(product["category"], "other");
    assert_eq!(
        call(&api, "getProduct", location, None).await.json(),
        product
    );

    let patch = json!({ "price": 2, "dimensions": { "width": 3 } });
    let patched = api
        .raw_as("PATCH", location, "application/merge-patch+json", &patch)
        .await;
    assert_eq!(patched["price"], 2);
    assert_eq!(patched["name"], "Pen");
    assert_eq!(patched["dimensions"], json!({ "width": 3, "height": 9 }));

    let null = json!({ "dimensions": null });
    let unset = api
        .raw_as("PATCH", location, "application/merge-patch+json", &null)
        .await;
    assert_eq!(unset.get("dimensions"), None, "{unset}");

    let gone = call(&api, "deleteProduct", location, None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(gone.text.as_str(), "");
    assert_eq!(call(&api, "getProduct", location, None).await.status, 404);
    assert_eq!(
        call(&api, "deleteProduct", location, None).await.status,
        404
    );
}

#[tokio::test]
async fn lists_have_pages_filters_and_an_order() {
    let api = shop().await;
    for (name, price, category, tag) in [
        ("C", 3, "pens", "red"),
        ("A", 1, "ink", "blue"),
        ("B", 2, "pens", "green"),
    ] {
        let product = json!({ "name": name, "price": price, "category": category, "tags": [tag] });
        call(&api, "createProduct", "/products", Some(product)).await;
    }
    let names = async |query: &str| {
        let path = format!("/products?{query}");
        let reply = call(&api, "listProducts", &path, None).await;
        let total = reply.headers["x-total-count"].to_str().unwrap().to_owned();
        let items = reply.json().as_array().unwrap().clone();
        let names: Vec<_> = items
            .iter()
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect();
        (names.concat(), total)
    };
    let page = |names: &str, total: &str| (names.to_owned(), total.to_owned());
    assert_eq!(names("").await, page("CA", "3"));
    assert_eq!(names("page=2").await, page("B", "3"));
    assert_eq!(names("page=3").await, page("", "3"));
    assert_eq!(names("per_page=50").await, page("CAB", "3"));
    assert_eq!(names("category=pens").await, page("CB", "2"));
    assert_eq!(names("tags=red,blue").await, page("CA", "2"));
    assert_eq!(names("tags=red&tags=green").await, page("CB", "2"));
    assert_eq!(names("sort=name&per_page=9").await, page("ABC", "3"));
    assert_eq!(names("sort=-price&per_page=9").await, page("CBA", "3"));
    let beyond = call(&api, "listProducts", "/products?per_page=51", None).await;
    assert_eq!(beyond.status, 400);
    assert!(beyond.text.contains("per_page"), "{}", beyond.text);
}

#[tokio::test]
async fn cursors_lead_through_a_whole_list() {
    let api = library().await;
    for title in ["A", "B", "C", "D", "E"] {
        let body = json!({ "title": title, "medium": { "kind": "PAPER", "pages": 3 } });
        let reply = call(&api, "post /v1/books", "/v1/books", Some(body)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
    }
    let mut titles = String::new();
    let mut path = "/v1/books".to_owned();
    loop {
        let page = call(&api, "get /v1/books", &path, None).await.json();
        for book in page["books"].as_array().unwrap() {
            titles += book["title"].as_str().unwrap();
        }
        assert_eq!(page["paging"]["total"], 5);
        let Some(next) = page["paging"]["nextCursor"].as_str() else {
            assert_eq!(page["paging"]["hasMore"], false);
            break;
        };
        path = format!("/v1/books?cursor={next}");
    }
    assert_eq!(titles, "ABCDE");
}

#[tokio::test]
async fn a_put_creates_and_replaces() {
    let api = shop().await;
    let lines = |count: u8| {
        let lines = (0..count).map(|_| json!({ "product_id": 1, "count": 2 }));
        json!({ "lines": lines.collect::<Vec<_>>() })
    };
    call(
        &api,
        "createProduct",
        "/products",
        Some(json!({ "name": "Pen", "price": 1 })),
    )
    .await;
    assert_eq!(
        call(&api, "getBasket", "/baskets/mine", None).await.status,
        404
    );
    let created = call(&api, "putBasket", "/baskets/mine", Some(lines(1))).await;
    assert_eq!(created.status, 201);
    assert_eq!(&created.json()["basket_code"], &json!("mine"));
    let replaced = call(&api, "putBasket", "/baskets/mine", Some(lines(2))).await;
    assert_eq!(replaced.status, 200);
    let read = call(&api, "getBasket", "/baskets/mine", None).await.json();
    assert_eq!(read["lines"].as_array().unwrap().len(), 2);
    let settings = json!({ "currency": "CHF" });
    call(&api, "putSettings", "/settings", Some(settings)).await;
    assert_eq!(
        call(&api, "getSettings", "/settings", None).await.json()["currency"],
        "CHF"
    );
}

#[tokio::test]
async fn nested_resources_belong_to_their_parents() {
    let api = shop().await;
    for name in ["Pen", "Ink"] {
        call(
            &api,
            "createProduct",
            "/products",
            Some(json!({ "name": name, "price": 1 })),
        )
        .await;
    }
    let review = call(
        &api,
        "createReview",
        "/products/1/reviews",
        Some(json!({ "stars": 5 })),
    )
    .await;
    let review = review.json();
    let list = async |path: &str| call(&api, "listReviews", path, None).await;
    assert_eq!(list("/products/1/reviews").await.json(), json!([review]));
    assert_eq!(list("/products/2/reviews").await.json(), json!([]));
    assert_eq!(list("/products/3/reviews").await.status, 404);
    let nowhere = call(
        &api,
        "createReview",
        "/products/3/reviews",
        Some(json!({ "stars": 5 })),
    )
    .await;
    assert_eq!(nowhere.status, 404);
}

#[tokio::test]
async fn unknown_ids_in_a_body_are_rejected() {
    let api = library().await;
    let body = json!({ "bookId": "none", "readerId": "nobody" });
    let reply = call(&api, "post /v1/loans", "/v1/loans", Some(body)).await;
    assert_eq!(reply.status, 422);
    let errors = reply.json();
    assert!(
        errors["errors"][0].as_str().unwrap().contains("`bookId`"),
        "{errors}"
    );
}

#[tokio::test]
async fn an_invalid_body_names_its_fields_in_the_described_error() {
    let api = shop().await;
    for (body, field) in [
        (json!({ "name": "Pen", "price": 0 }), "`price`"),
        (json!({ "price": 1 }), "`name`"),
        (
            json!({ "name": "Pen", "price": 1, "colour": "red" }),
            "`colour`",
        ),
        (
            json!({ "name": "Pen", "price": 1, "dimensions": { "depth": 1 } }),
            "`dimensions.depth`",
        ),
    ] {
        let reply = call(&api, "createProduct", "/products", Some(body)).await;
        let message = reply.json()["error"]["message"].clone();
        assert_eq!(reply.status, 400);
        assert!(message.as_str().unwrap().contains(field), "{message}");
    }
}

#[tokio::test]
async fn a_field_with_alternatives_is_checked_and_returned_unchanged() {
    let api = library().await;
    let body = json!({ "title": "A", "medium": { "kind": "AUDIO", "seconds": 60 } });
    let reply = call(&api, "post /v1/books", "/v1/books", Some(body.clone())).await;
    assert_eq!(reply.json()["book"]["medium"], body["medium"]);
    let wrong = json!({ "title": "A", "medium": { "kind": "AUDIO", "pages": 60 } });
    let reply = call(&api, "post /v1/books", "/v1/books", Some(wrong)).await;
    assert_eq!(reply.status, 422);
}

#[tokio::test]
async fn a_form_and_a_request_to_a_resource_change_it() {
    let api = shop().await;
    let form = json!({ "weight": 2.5, "express": true });
    let shipment = call(&api, "createShipment", "/shipments", Some(form)).await;
    assert_eq!(shipment.status, 202);
    let shipment = shipment.json();
    assert_eq!(&shipment["weight"], &json!(2.5));
    assert_eq!(&shipment["state"], &json!("WAITING"));
    let id = shipment["id"].as_str().unwrap();
    assert!(id.len() <= 12, "{id}");
    let path = format!("/shipments/{id}/dispatch");
    let sent = call(&api, "dispatchShipment", &path, None).await.json();
    assert_eq!(sent["state"], "DISPATCHED");
    let label = call(&api, "getLabel", &format!("/shipments/{id}/label"), None).await;
    assert!(label.text.starts_with("%PDF-"), "{}", label.text);
    let path = format!("/shipments/{id}");
    assert_eq!(call(&api, "cancelShipment", &path, None).await.status, 202);
    let read = call(&api, "getShipment", &path, None).await.json();
    assert_eq!(read["state"], "CANCELLED");
    let types: Vec<_> = api
        .sandbox
        .events()
        .iter()
        .map(|event| event.event_type)
        .collect();
    assert_eq!(
        types,
        [
            "shipment.created",
            "shipment.dispatched",
            "shipment.cancelled"
        ]
    );
}
