-- What a posting says beyond the invoice itself: the SHA-256 of the original that is kept, the purchase order and the
-- cost centre it is booked on, who approved it (names, with commas).
ALTER TABLE posting ADD COLUMN document TEXT NOT NULL DEFAULT '';
ALTER TABLE posting ADD COLUMN purchase_order TEXT;
ALTER TABLE posting ADD COLUMN cost_centre TEXT NOT NULL DEFAULT '';
ALTER TABLE posting ADD COLUMN approved_by TEXT NOT NULL DEFAULT '';
