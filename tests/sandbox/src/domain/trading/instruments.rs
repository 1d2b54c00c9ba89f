//! Instruments and their prices. The initial ones are those of Upvest's own sandbox (PROTOCOL 7).

use chrono::{DateTime, Utc};
use rand::RngExt as _;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::amount::{Currency, EUR};
use crate::digest::short_digest;
use crate::domain::state::{Rejected, State};
use crate::domain::trading::orders::Side;

/// An instrument with its prices.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Instrument {
    pub(crate) view: InstrumentView,
    /// The price for sellers. Some mock instruments have a bid above the offer (PROTOCOL 7).
    pub(in crate::domain) bid: Decimal,
    /// The price for buyers.
    pub(in crate::domain) offer: Decimal,
    #[serde(serialize_with = "crate::instant::write")]
    quoted_at: DateTime<Utc>,
    pub(in crate::domain) behaviour: Behaviour,
    /// Orders that wait for the price.
    pub(in crate::domain) waiting_orders: Vec<Uuid>,
}

/// The special behaviour of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::domain) enum Behaviour {
    Plain,
    /// Orders are filled in up to five executions, depending on their amount.
    Partial,
    /// As `Partial`, but the order is cancelled before its last execution.
    PartialThenCancelled,
    /// The price changes randomly every hour.
    Random,
    /// The price alternates between 200 and 300 every hour.
    Oscillating,
}

/// An instrument, as it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InstrumentView {
    pub(crate) id: Uuid,
    pub(crate) isin: String,
    name: String,
    pub(crate) r#type: String,
    pub(in crate::domain) currency: Currency,
    exchanges: Vec<Exchange>,
    pub(in crate::domain) tradeable: bool,
    pub(in crate::domain) fractional_trading_enabled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Exchange {
    id: String,
    name: String,
    mic: String,
}

/// The price of an instrument, as it is sent.
#[derive(Debug, Serialize)]
pub(crate) struct InstrumentPrice<'a> {
    instrument_id: Uuid,
    exchange_id: &'a str,
    price: Decimal,
    currency: Currency,
    #[serde(serialize_with = "crate::instant::write")]
    timestamp: DateTime<Utc>,
}

/// A row of the table of mock instruments.
struct InstrumentRow {
    isin: &'static str,
    kind: &'static str,
    bid: &'static str,
    offer: &'static str,
    behaviour: Behaviour,
    /// Whether fractional trading is allowed.
    is_fractional: bool,
}

impl InstrumentRow {
    /// An instrument with the constant price 100, and with fractional trading.
    const fn new(isin: &'static str, kind: &'static str) -> Self {
        Self {
            isin,
            kind,
            bid: "100",
            offer: "100",
            behaviour: Behaviour::Plain,
            is_fractional: true,
        }
    }

    const fn quote(mut self, bid: &'static str, offer: &'static str) -> Self {
        self.bid = bid;
        self.offer = offer;
        self
    }

    const fn behaving(mut self, behaviour: Behaviour) -> Self {
        self.behaviour = behaviour;
        self
    }

    const fn in_whole_units(mut self) -> Self {
        self.is_fractional = false;
        self
    }
}

/// PROTOCOL 7 lists all instruments except the last two. It mentions the oscillating instrument without an ISIN, and
/// has no instrument that is traded in whole units only.
const MOCK_INSTRUMENTS: [InstrumentRow; 25] = [
    InstrumentRow::new("IE00BKBF6H24", "ETF").quote("7.51", "6.23"),
    InstrumentRow::new("IE00B3XXRP09", "ETF").quote("113.03", "115.05"),
    InstrumentRow::new("DE0005933931", "ETF").quote("81.77", "85.22"),
    InstrumentRow::new("IE00BK5BCH80", "ETF").quote("13.20", "11.24"),
    InstrumentRow::new("IE00BM8QRZ79", "ETF").quote("38.45", "41.25"),
    InstrumentRow::new("IE00BYZK4552", "ETF").quote("11.10", "9.96"),
    InstrumentRow::new("FR0010790980", "ETF").quote("90.11", "93.55"),
    InstrumentRow::new("FR0010524777", "ETF").quote("38.345", "38.955"),
    InstrumentRow::new("LU2194447293", "ETF").quote("14.564", "14.744"),
    InstrumentRow::new("IE00BGBN6P67", "ETF").quote("70.07", "72.09"),
    InstrumentRow::new("IE00BGL86Z12", "ETF").quote("6.261", "6.299"),
    InstrumentRow::new("LU0779800910", "ETF").quote("14.31", "14.44"),
    InstrumentRow::new("IE00BJ0KDR00", "ETF").quote("108.08", "108.43"),
    InstrumentRow::new("LU0533033667", "ETF").quote("472.50", "481.10"),
    InstrumentRow::new("IE00BM67HK77", "ETF").quote("43.88", "44.23"),
    InstrumentRow::new("IE00BM67HL84", "ETF").quote("22.02", "44.23"),
    InstrumentRow::new("LU1291109616", "ETF").quote("17.02", "17.28"),
    InstrumentRow::new("IE00BM67HM91", "ETF").quote("43.50", "43.26"),
    InstrumentRow::new("IE00B95PGT31", "ETF").behaving(Behaviour::Random),
    InstrumentRow::new("IE0032077012", "ETF"),
    InstrumentRow::new("IE00B5M1WJ87", "ETF").behaving(Behaviour::Partial),
    InstrumentRow::new("IE00BF2GFH28", "ETF").behaving(Behaviour::PartialThenCancelled),
    InstrumentRow::new("US0378331005", "EQUITY"),
    InstrumentRow::new("XF0000000017", "FUND")
        .quote("200", "200")
        .behaving(Behaviour::Oscillating),
    InstrumentRow::new("XF0000000025", "BOND").in_whole_units(),
];

identified!(by view.id: Instrument);

impl Instrument {
    /// The price for an order of this side.
    pub(in crate::domain) fn price(&self, side: Side) -> Decimal {
        match side {
            Side::Buy => self.offer,
            Side::Sell => self.bid,
        }
    }

    /// The price on each exchange: the bid, at which positions are also valued.
    pub(crate) fn prices(&self) -> impl Iterator<Item = InstrumentPrice<'_>> {
        self.view.exchanges.iter().map(|exchange| InstrumentPrice {
            instrument_id: self.view.id,
            exchange_id: &exchange.id,
            price: self.bid,
            currency: self.view.currency,
            timestamp: self.quoted_at,
        })
    }
}

impl State {
    pub(in crate::domain) fn add_mock_instruments(&mut self) {
        for row in MOCK_INSTRUMENTS {
            let price = |text| crate::amount::parse(text).expect("the mock prices are decimals");
            let quote = (price(row.bid), price(row.offer));
            self.add_instrument(row.isin, row.kind, quote, row.behaviour, row.is_fractional);
        }
    }

    pub(in crate::domain) fn add_instrument(
        &mut self,
        isin: &str,
        kind: &str,
        (bid, offer): (Decimal, Decimal),
        behaviour: Behaviour,
        fractional: bool,
    ) -> &InstrumentView {
        let exchange = Exchange {
            id: "xetr".into(),
            name: "Xetra".into(),
            mic: "XETR".into(),
        };
        let view = InstrumentView {
            id: instrument_id(isin),
            isin: isin.to_owned(),
            name: format!("Mock instrument {isin}"),
            r#type: kind.to_owned(),
            currency: EUR,
            exchanges: vec![exchange],
            tradeable: true,
            fractional_trading_enabled: fractional,
        };
        let quoted_at = self.timeline.now;
        let instrument = Instrument {
            view,
            bid,
            offer,
            quoted_at,
            behaviour,
            waiting_orders: Vec::new(),
        };
        &self.instruments.insert(instrument).view
    }

    /// Lists a new instrument with these prices.
    pub(crate) fn list_instrument(
        &mut self,
        isin: &str,
        kind: &str,
        quote: (Decimal, Decimal),
        fractional: bool,
    ) -> Result<&InstrumentView, Rejected> {
        if self.instruments.get(instrument_id(isin)).is_some() {
            return Err(Rejected::invalid("isin", "is listed already"));
        }
        Ok(self.add_instrument(isin, kind, quote, Behaviour::Plain, fractional))
    }

    /// Sets new prices. Orders that have waited for them are executed.
    pub(crate) fn set_price(
        &mut self,
        id: Uuid,
        bid: Decimal,
        offer: Decimal,
    ) -> Result<(), Rejected> {
        let instrument = self.instruments.get_mut(id).ok_or(Rejected::NotFound)?;
        (instrument.bid, instrument.offer, instrument.quoted_at) = (bid, offer, self.timeline.now);
        self.wake_orders(id);
        Ok(())
    }

    pub(crate) fn set_tradeable(&mut self, id: Uuid, tradeable: bool) -> Result<(), Rejected> {
        self.instruments
            .get_mut(id)
            .ok_or(Rejected::NotFound)?
            .view
            .tradeable = tradeable;
        self.wake_orders(id);
        Ok(())
    }

    /// Changes the prices of instruments with such a behaviour, once an hour.
    pub(in crate::domain) fn move_prices(&mut self) {
        let cents = self.timeline.next_rng().random_range(5_000..15_000);
        let mut moved = Vec::new();
        for instrument in self.instruments.rows_mut() {
            let price = match instrument.behaviour {
                Behaviour::Random => Decimal::new(cents, 2),
                Behaviour::Oscillating if instrument.bid == Decimal::from(200) => {
                    Decimal::from(300)
                }
                Behaviour::Oscillating => Decimal::from(200),
                _ => continue,
            };
            (instrument.bid, instrument.offer, instrument.quoted_at) =
                (price, price, self.timeline.now);
            moved.push(instrument.view.id);
        }
        for id in moved {
            self.wake_orders(id);
        }
    }
}

/// The id of an instrument. It is derived from the ISIN, so that it is the same in every sandbox (RFC 9562 section
/// 5.8).
pub(crate) fn instrument_id(isin: &str) -> Uuid {
    uuid::Builder::from_custom_bytes(short_digest(&[isin.as_bytes()])).into_uuid()
}
