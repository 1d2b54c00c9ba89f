//! What webhook events carry.

/// Declares the enum of what events carry. Used by the generated `events` module.
macro_rules! event_objects {
    ($($name:ident($kind:ty) = $($event:literal)|+ => $retrieved_by:expr,)*) => {
        /// The object of a webhook event, in the type that the event's own type stands for.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)]
        pub enum EventObject {
            $(
                #[doc = concat!("Carried by", $(" `", $event, "`"),+, ".")]
                $name($kind),
            )*
            /// The object of an event whose type the description does not have.
            Unknown(serde_json::Value),
        }

        impl EventObject {
            /// Reads the object of an event of this type, which is JSON.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) if the object is not of the type that it should have.
            pub fn read(event_type: &str, object: &[u8]) -> Result<Self, $crate::Error> {
                match event_type {
                    $($($event)|+ => $crate::runtime::read_json(object).map(Self::$name),)*
                    _ => $crate::runtime::read_json(object).map(Self::Unknown),
                }
            }

            /// The operation that reads the object of such an event by its id alone, the one parameter of its path. `None` where
            /// no operation does, or if the description does not have the type.
            pub fn retrieved_by(event_type: &str) -> Option<&'static $crate::runtime::OperationMeta> {
                match event_type {
                    $($($event)|+ => $retrieved_by,)*
                    _ => None,
                }
            }

            /// Whether events of this type carry a `T`. `None` if the description does not say, or if `T` is not one
            /// of the types that events carry, but one of your own.
            pub fn carries<T: 'static>(event_type: &str) -> Option<bool> {
                let asked = std::any::TypeId::of::<T>();
                let kinds: &[std::any::TypeId] = &[$(std::any::TypeId::of::<$kind>()),*];
                let carried = match event_type {
                    $($($event)|+ => Some(std::any::TypeId::of::<$kind>()),)*
                    _ => None,
                };
                carried.filter(|_| kinds.contains(&asked)).map(|carried| asked == carried)
            }
        }
    };
}
pub(crate) use event_objects;
