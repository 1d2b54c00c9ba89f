//! Users, accounts, orders and all else: pure state, moved by calls and by time, without any network.

/// `Debug` for what holds personal data: only its id is for a log.
macro_rules! debug_by_id {
    ($($name:ident)+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).field("id", &self.id).finish_non_exhaustive()
            }
        })+
    };
}

/// The id of a thing: that of its view, or its own.
macro_rules! identified {
    (by view.id: $($name:ident)+) => {
        $(impl crate::domain::table::Identified for $name {
            fn id(&self) -> uuid::Uuid {
                self.view.id
            }
        })+
    };
    (by id: $($name:ident)+) => {
        $(impl crate::domain::table::Identified for $name {
            fn id(&self) -> uuid::Uuid {
                self.id
            }
        })+
    };
}

/// Values that stand in capitals on the wire.
macro_rules! wire_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($value:ident)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        $vis enum $name {
            $($value),+
        }
    };
}

#[macro_use]
pub(crate) mod lifecycle;

pub(crate) mod customers;
pub(crate) mod events;
mod jobs;
pub(crate) mod money;
pub(crate) mod state;
pub(crate) mod table;
pub(crate) mod timeline;
pub(crate) mod trading;
