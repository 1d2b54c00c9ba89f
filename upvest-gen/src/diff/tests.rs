//! What each sort of change means. That every change is seen, and that the compiler agrees, is tested over the vendored description.
