//! All codecs against each other: a matrix of requests and replies, recorded traffic, and laws on random input.

mod corpus;
mod dialects;
mod inputs;
mod laws;
mod matrix;
mod pains;
mod replies;
mod streams;
