using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Verification;

/// <summary>Maps the columns of <c>verify.*.sql</c> to rows.</summary>
static class ReadRows
{
    public static OrderRow Order(IRow row) => new(
        row.Uuid("id"), row.Text("customer_id"), row.Text("currency"), row.Text("status"), row.Text("payment_status"),
        row.Text("lines"), row.BigInt("adjustments_minor"), row.BigIntOrNull("total_minor"), row.Int("version"),
        row.Time("updated_at"))
    {
        FulfilmentStatus = row.Text("fulfilment_status"), Fulfilments = StoredLines.Shipped(row.TextOrNull("fulfilments")),
        IsTakenOnFulfilment = row.TextOrNull("capture_policy") == CapturePolicies.Fulfilment,
        HasOpenWork = row.Bool("has_open_work"), ImportLines = row.TextOrNull("import_lines"),
        Adjustments = row.Text("adjustments"), DiscountLimit = (int?)row.BigIntOrNull("discount_limit"),
        CreatedAt = row.Time("created_at"), HasTexts = row.Bool("has_texts"),
    };

    public static EventRow Event(IRow row) =>
        new(row.Uuid("order_id"), row.Int("version"), row.Text("type"), row.Text("status"));

    public static SagaRow Saga(IRow row) => new(
        row.Uuid("order_id"), row.Text("state"), row.TextOrNull("step"), row.TextOrNull("waiting_for"), row.Time("updated_at"),
        row.TimeOrNull("ended_at"));

    public static PaymentRow Payment(IRow row) => new(
        row.Uuid("order_id"), row.TextOrNull("customer_id"), row.TextOrNull("provider"), row.TextOrNull("currency"),
        row.BigInt("amount"), row.Text("state"), row.BigInt("authorized"), row.BigInt("captured"), row.BigInt("refunded"),
        row.Bool("voided"), row.Time("updated_at"))
    {
        ReturnedByOperator = row.BigInt("returned_by_operator"),
    };

    public static JournalRow JournalEntry(IRow row) => new(
        row.Uuid("order_id"), row.Text("kind"), row.Text("debit_account"), row.Text("credit_account"), row.Text("currency"),
        row.BigInt("amount"));

    public static AccountSums Account(IRow row) =>
        new(row.Text("account"), row.Text("currency"), row.BigInt("journal"), row.BigInt("books"));

    public static ChargeRow Charge(IRow row) => new(
        row.Uuid("order_id"), row.Text("id"), row.Text("currency"), row.BigInt("authorized"), row.BigInt("captured"),
        row.BigInt("refunded"), row.Bool("voided"));

    public static ReservationRow Reservation(IRow row) => new(
        row.Uuid("order_id"), row.Text("state"), row.Text("lines"), row.Time("updated_at"), row.Bool("is_held"))
    {
        Shipments = StoredLines.Shipped(row.TextOrNull("shipments")),
    };

    public static ErasedRow Erased(IRow row) =>
        new(row.Text("id"), row.Time("erased_at"), row.BigInt("balance"));

    public static StockSums Stock(IRow row) => new(
        row.Text("sku"), row.BigInt("on_hand"), row.BigInt("allocated"), row.BigInt("reserved"), row.BigInt("moved_on_hand"),
        row.BigInt("moved_allocated"));

    public static BalanceSums Balance(IRow row) => new(
        row.Text("customer_id"), row.Text("currency"), row.BigInt("balance"), row.BigInt("credited"), row.BigInt("spent"));
}
