-- Messages the peer took are kept for a while, so that one can see what was said.
CREATE INDEX exchange_message_sent ON exchange_message(peer, sent_at) WHERE state = 'sent';
