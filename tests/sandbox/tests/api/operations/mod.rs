//! Every operation of the description over plain HTTP: its responses, its errors, and its pages.

mod description;
mod lists;
mod rejections;
mod resources;
mod support;
