//! The transition table, printed from the machine itself.
