using System.Text.Json;
using Orderwright.Contracts;
using Orderwright.Runtime.Database;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// Columns of a row of <c>sagas</c>. The JSON of <c>steps</c> and <c>facts</c> is written and read by hand: both happen for
/// every message, and the serializer took several times as long.
/// </summary>
public static partial class SagaColumns
{
    /// <summary>Reads a row with the columns <c>saga</c> of <c>sagas.sql</c>.</summary>
    /// <param name="row">Row.</param>
    /// <param name="versions">Definition of a version; throws <see cref="UnknownVersionException"/>.</param>
    public static SagaRecord Read(IRow row, Func<int, SagaDefinition> versions)
    {
        var orderId = row.Uuid("order_id");
        var blank = SagaState.New(versions(row.Int("definition_version")), SagaProgress.SeedOf(orderId)) with
        {
            Version = row.BigInt("version"), StartedAt = row.Time("started_at"), EndedAt = row.TimeOrNull("ended_at"),
        };
        var (state, payment) = ReadSteps(row.Text("steps"), blank);
        return new SagaRecord(orderId, state, payment, ReadFacts(row.Text("facts")), row.Time("updated_at"));
    }

    /// <summary>
    /// Reads a row, or the reason why the row is unreadable, such as another build or a manual change. One unreadable row
    /// must not keep all other timers from running.
    /// </summary>
    /// <param name="row">Row.</param>
    /// <param name="versions">Definition of a version.</param>
    /// <param name="isLast">True if an unknown version is a reason; otherwise the exception is the caller's.</param>
    public static (Guid OrderId, SagaRecord? Saga, string? Fault) TryRead(
        IRow row, Func<int, SagaDefinition> versions, bool isLast = false)
    {
        try
        {
            return (row.Uuid("order_id"), Read(row, versions), null);
        }
        catch (Exception error) when (
            error is JsonException or InvalidOperationException or FormatException
            || (isLast && error is UnknownVersionException))
        {
            return (row.Uuid("order_id"), null, error.Message);
        }
    }

    /// <summary>Arguments of <c>insert_sagas</c> and <c>update_sagas</c>, by order id.</summary>
    public static SqlRows<(SagaProgress Saga, SagaHeadline Headline)> Write(IReadOnlyList<SagaProgress> sagas) =>
        SqlArgs.Over<(SagaProgress Saga, SagaHeadline Headline)>(
            [.. sagas.OrderBy(saga => saga.OrderId).Select(saga => (saga, SagaHeadline.Of(saga.State)))])
            .Uuid("order_id", row => row.Saga.OrderId)
            .Text("state", row => SagaNames.Of(row.Saga.State.Status))
            .Text("step", row => row.Headline.Step)
            .Text("waiting_for", row => row.Headline.WaitingFor)
            .Text("code", row => row.Headline.Code)
            .BigInt("version", row => row.Saga.State.Version)
            .Text("facts", row => row.Saga.FactsChanged ? WriteFacts(row.Saga.Record.Facts) : null)
            .Text("steps", row => WriteSteps(row.Saga.State, row.Saga.Record.Payment))
            .TimeOrNull("ended_at", row => row.Saga.State.EndedAt);

    public static (SagaState State, PaymentTotals Payment) ReadSteps(string json, SagaState blank) =>
        JsonText.Read(json, blank, static (bytes, state) => ReadSteps(bytes, state));

    public static string WriteSteps(SagaState state, PaymentTotals payment) =>
        JsonText.Write((state, payment), static (json, saga) => WriteSteps(json, saga.state, saga.payment));

    public static OrderFacts ReadFacts(string json) => JsonText.Read(json, 0, static (bytes, _) => ReadFacts(bytes));

    public static string WriteFacts(OrderFacts facts) =>
        JsonText.Write(facts, static (json, facts) => WriteFacts(json, facts));
}
