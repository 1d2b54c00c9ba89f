use upvest_api::runtime::UnknownValue;
use upvest_api::types::OrderSide;

fn main() {
    let _ = OrderSide::Unknown(UnknownValue("BUY".into()));
}
