"""The salon's other systems: what they are told of clients' answers, what they tell us, and what somebody tells them by hand."""
