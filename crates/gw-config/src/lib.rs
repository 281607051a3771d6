//! Configuration: raw files and environment to one checked, typed form.
