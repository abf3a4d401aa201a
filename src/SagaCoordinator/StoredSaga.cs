using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator;

/// <summary>Between a row of <c>sagas</c> and a saga.</summary>
public static class StoredSaga
{
    /// <summary>
    /// From the first seven columns: order_id, definition_version, version, started_at, ended_at, steps,
    /// facts.
    /// </summary>
    public static SagaRecord Read(IRow row)
    {
        var orderId = row.Uuid(0);
        var blank = SagaState.New(OrderSaga.Version(row.Int(1)), SagaProgress.SeedOf(orderId)) with
        {
            Version = row.BigInt(2), StartedAt = row.Time(3), EndedAt = row.TimeOrNull(4),
        };
        var (state, payment) = ReadSteps(row.Text(5), blank);
        return new SagaRecord(orderId, state, payment, ReadFacts(row.Text(6)));
    }

    /// <summary>
    /// The same, or why it cannot be read: another build wrote it, or somebody's hand. One such row must not
    /// keep the timers of all others from running.
    /// </summary>
    public static (Guid OrderId, SagaRecord? Saga, string? Fault) TryRead(IRow row)
    {
        try
        {
            return (row.Uuid(0), Read(row), null);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            return (row.Uuid(0), null, error.Message);
        }
    }

    public static (SagaState State, PaymentTotals Payment) ReadSteps(string json, SagaState blank) =>
        JsonText.Read(json, blank, static (bytes, state) => StoredSteps.Read(bytes, state));

    public static OrderFacts ReadFacts(string json) => JsonText.Read(json, 0, static (bytes, _) => StoredFacts.Read(bytes));

    public static string WriteSteps(SagaState state, PaymentTotals payment) =>
        JsonText.Write((state, payment), static (json, saga) => StoredSteps.Write(json, saga.state, saga.payment));

    public static string WriteFacts(OrderFacts facts) =>
        JsonText.Write(facts, static (json, facts) => StoredFacts.Write(json, facts));
}
