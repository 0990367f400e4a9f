//! Lists, counts and finds entries over segments plus tail, only inside a Scope.
