using Orderwright.Contracts;
using Orderwright.Runtime.Database;

namespace Orderwright.Verification;

/// <summary>Columns to rows, in the order in which <c>verify.*.sql</c> lists them.</summary>
static class ReadRows
{
    public static OrderRow Order(IRow row) => new(
        row.Uuid(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.BigInt(6), row.BigIntOrNull(7),
        row.Int(8), row.Time(9))
    {
        FulfilmentStatus = row.Text(10), Fulfilments = StoredLines.Shipped(row.TextOrNull(11)),
        IsTakenOnFulfilment = row.TextOrNull(12) == CapturePolicies.Fulfilment, HasOpenWork = row.Bool(13),
    };

    public static EventRow Event(IRow row) => new(row.Uuid(0), row.Int(1), row.Text(2), row.Text(3));

    public static SagaRow Saga(IRow row) => new(
        row.Uuid(0), row.Text(1), row.TextOrNull(2), row.TextOrNull(3), row.Time(4), row.TimeOrNull(5));

    public static PaymentRow Payment(IRow row) => new(
        row.Uuid(0), row.TextOrNull(1), row.TextOrNull(2), row.TextOrNull(3), row.BigInt(4), row.Text(5), row.BigInt(6),
        row.BigInt(7), row.BigInt(8), row.Bool(9), row.Time(10))
    {
        GivenBackByHand = row.BigInt(11),
    };

    public static MovementRow Movement(IRow row) => new(
        row.Uuid(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.BigInt(5));

    public static AccountSums Account(IRow row) => new(row.Text(0), row.Text(1), row.BigInt(2), row.BigInt(3));

    public static ChargeRow Charge(IRow row) => new(
        row.Uuid(0), row.Text(1), row.Text(2), row.BigInt(3), row.BigInt(4), row.BigInt(5), row.Bool(6));

    public static ReservationRow Reservation(IRow row) => new(
        row.Uuid(0), row.Text(1), row.Text(2), row.Time(3), row.Time(4), row.Bool(5))
    {
        Shipments = StoredLines.Shipped(row.TextOrNull(6)),
    };

    public static StockSums Stock(IRow row) => new(
        row.Text(0), row.BigInt(1), row.BigInt(2), row.BigInt(3), row.BigInt(4), row.BigInt(5));

    public static BalanceSums Balance(IRow row) => new(
        row.Text(0), row.Text(1), row.BigInt(2), row.BigInt(3), row.BigInt(4));
}
