-- Payments that a person has to see to: few of many, and asked for by every page that says whether there are any.
CREATE INDEX payments_to_see_to ON payments (order_id) WHERE notice IS NOT NULL OR attention IS NOT NULL;
