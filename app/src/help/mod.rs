//! Help, in the app.
