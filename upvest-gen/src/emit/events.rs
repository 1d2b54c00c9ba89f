//! Writes the types of webhook events and their objects.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::declarations::open_enum;
use super::print::print;
use crate::docs;
use crate::error::Error;
use crate::model::{Api, Enum, Event, Schema};

/// Generates the module `events`.
pub(super) fn events(api: &Api) -> Result<String, Error> {
    let imports = print(quote! {
        use std::fmt;

        use upvest_runtime::{
            Error, EventObjects, EventResource, EventType, OperationMeta, open_enum, read_json, serde_json,
        };

        use super::{operations, types};
    })?;
    let kinds = open_enum(&Enum {
        name: "EventKind".to_owned(),
        description: "A type of event in the description. It can be compared with an `EventType`."
            .to_owned(),
        variants: api.event_kinds.clone(),
        finals: Vec::new(),
    });
    let conversions = conversions();
    let objects = objects(api);
    let resources = api
        .schemas
        .iter()
        .filter(|schema| schema.received)
        .map(|schema| resource(schema, api));
    let items = print(quote! {
        #conversions
        #objects
        #(#resources)*
    })?;
    Ok(format!("{imports}{kinds}\n{items}"))
}

/// The conversions between the enum of the known types and the type of all events.
fn conversions() -> TokenStream {
    quote! {
        impl From<&EventType> for EventKind {
            fn from(event_type: &EventType) -> Self {
                upvest_runtime::OpenEnum::from_wire(event_type.as_str())
            }
        }

        impl From<EventKind> for EventType {
            fn from(kind: EventKind) -> Self {
                Self::new(kind.as_str())
            }
        }

        impl PartialEq<EventKind> for EventType {
            fn eq(&self, kind: &EventKind) -> bool {
                self.as_str() == kind.as_str()
            }
        }
    }
}

/// ```text
/// pub enum EventObject {
///     /// In events of the types `ORDER.FILLED`.
///     Order(types::Order),
///     /// The object of an event whose object the description does not contain.
///     Unknown(serde_json::Value),
/// }
///
/// impl fmt::Debug for EventObject {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         match self {
///             Self::Order(object) => f.debug_tuple("Order").field(object).finish(),
///             Self::Unknown(_) => f.write_str("Unknown(<hidden>)"),
///         }
///     }
/// }
///
/// fn object_of(event_type: &EventType) -> Option<&'static str> {
///     match event_type.as_str() {
///         "ORDER.FILLED" => Some("Order"),
///         _ => None,
///     }
/// }
///
/// impl EventObjects for EventObject {
///     fn read(event_type: &EventType, json: &[u8]) -> Result<Self, Error> {
///         match object_of(event_type) {
///             Some("Order") => read_json(json).map(Self::Order),
///             _ => read_json(json).map(Self::Unknown),
///         }
///     }
///
///     fn retrieved_by(event_type: &EventType) -> Option<&'static OperationMeta> {
///         match object_of(event_type) {
///             Some("Order") => Some(&operations::RETRIEVE_ORDER),
///             _ => None,
///         }
///     }
/// }
/// ```
fn objects(api: &Api) -> TokenStream {
    let variants = api.events.iter().map(variant);
    let shown = api.events.iter().map(shown);
    let kinds = api.events.iter().map(kinds);
    let read = api.events.iter().map(read);
    let retrieved_by = api.events.iter().filter_map(retrieved_by);
    quote! {
        /// The object of a webhook event, with the type that belongs to the type of the event.
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)]
        pub enum EventObject {
            #(#variants)*
            /// The object of an event whose object the description does not contain.
            Unknown(serde_json::Value),
        }

        impl fmt::Debug for EventObject {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    #(#shown)*
                    Self::Unknown(_) => f.write_str("Unknown(<hidden>)"),
                }
            }
        }

        /// The name of the object in events of this type.
        fn object_of(event_type: &EventType) -> Option<&'static str> {
            match event_type.as_str() {
                #(#kinds)*
                _ => None,
            }
        }

        impl EventObjects for EventObject {
            fn read(event_type: &EventType, json: &[u8]) -> Result<Self, Error> {
                match object_of(event_type) {
                    #(#read)*
                    _ => read_json(json).map(Self::Unknown),
                }
            }

            fn retrieved_by(event_type: &EventType) -> Option<&'static OperationMeta> {
                match object_of(event_type) {
                    #(#retrieved_by)*
                    _ => None,
                }
            }
        }
    }
}

/// The name of the variant of an object. `Unknown` is that of unknown objects.
fn variant_name(event: &Event) -> Ident {
    if event.object == "Unknown" {
        format_ident!("Unknown_")
    } else {
        format_ident!("{}", event.object)
    }
}

fn variant(event: &Event) -> TokenStream {
    let text = format!("In events of the types `{}`.", event.types.join("`, `"));
    let docs = docs::attributes(&text);
    let name = variant_name(event);
    let object = format_ident!("{}", event.object);
    quote! {
        #(#docs)*
        #name(types::#object),
    }
}

fn shown(event: &Event) -> TokenStream {
    let name = variant_name(event);
    let text = name.to_string();
    quote!(Self::#name(object) => f.debug_tuple(#text).field(object).finish(),)
}

fn kinds(event: &Event) -> TokenStream {
    let types = &event.types;
    let object = &event.object;
    quote!(#(#types)|* => Some(#object),)
}

fn read(event: &Event) -> TokenStream {
    let object = &event.object;
    let name = variant_name(event);
    quote!(Some(#object) => read_json(json).map(Self::#name),)
}

fn retrieved_by(event: &Event) -> Option<TokenStream> {
    let object = &event.object;
    let method = event.retrieved_by.as_ref()?;
    let constant = format_ident!("{}", method.to_ascii_uppercase());
    Some(quote!(Some(#object) => Some(&operations::#constant),))
}

/// ```text
/// impl EventResource for types::Order {
///     fn can_be_in(event_type: &EventType) -> bool {
///         object_of(event_type).is_none_or(|object| object == "Order")
///     }
/// }
/// ```
///
/// An event whose type the description does not contain can have any object that is received.
fn resource(schema: &Schema, api: &Api) -> TokenStream {
    let text = &schema.name;
    let name = format_ident!("{text}");
    let is_described = api.events.iter().any(|event| event.object == *text);
    let can_be_in = is_described.then(|| {
        quote! {
            fn can_be_in(event_type: &EventType) -> bool {
                object_of(event_type).is_none_or(|object| object == #text)
            }
        }
    });
    quote! {
        impl EventResource for types::#name {
            #can_be_in
        }
    }
}
