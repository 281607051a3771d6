//! The anthropic wire format: ingress and egress, request and reply, stream decode and encode, errors.
