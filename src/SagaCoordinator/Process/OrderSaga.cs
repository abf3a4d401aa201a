using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// The order process on a screen:
/// <code>
/// reserve-stock ─▶ authorize-payment ─▶ commit-stock ═pivot═▶ capture-payment
/// undo: release    undo: void, refund    undo: release         only where it is not captured yet
/// </code>
/// A confirmed order has its money secured and its goods allocated. A version in use is never edited: a change is a
/// new version, and running sagas finish on the version of their start.
/// </summary>
public static class OrderSaga
{
    /// <summary>
    /// Hold time of the goods of an undecided order; longer than the deadline of any step.
    /// </summary>
    public static readonly TimeSpan HoldFor = TimeSpan.FromMinutes(15);

    /// <summary>
    /// Detail of a payment that needs no capture by the process: already captured, or captured when goods are shipped
    /// (docs/adr/0018).
    /// </summary>
    public const string Captured = "captured";

    const string Customer = "customer";

    // Retries after 2 to 4 s, then up to 15 s apart: an order continues within a minute after an outage.
    static readonly RetryPolicy Normal = new(
        First: TimeSpan.FromSeconds(2), Factor: 2, Longest: TimeSpan.FromSeconds(15), Attempts: 10_000,
        Within: TimeSpan.FromMinutes(10));

    // A step that must be done in the end is retried for longer, and then becomes an incident.
    static readonly RetryPolicy UntilDone = Normal with { Within = TimeSpan.FromMinutes(30) };

    // The participant looks a doubtful step up, and reports when the outcome cannot be found: an incident. Silence for
    // longer than this is an incident, too.
    static readonly RetryPolicy UntilKnown = Normal with { Within = TimeSpan.FromHours(2) };

    // The customer is at 3-D Secure. The participant reports the customer's return; these retries are a safety net.
    static readonly RetryPolicy WhileCustomerActs = Normal with
    {
        First = TimeSpan.FromSeconds(5), Longest = TimeSpan.FromSeconds(30), Within = TimeSpan.FromHours(1),
    };

    static readonly SagaDefinition Version1 = new(
        "order-process", 1,
        new SagaStep(StepNames.ReserveStock, ServiceNames.Stock)
        {
            Undo = "release-stock",
            Ask = Normal,
            AskUndo = UntilDone,
            RenewEvery = TimeSpan.FromMinutes(4),
        },
        new SagaStep(StepNames.AuthorizePayment, ServiceNames.Customer)
        {
            Undo = "undo-payment",
            Ask = Normal,
            AskUndo = UntilDone,
            WhileWaiting = WhileCustomerActs,
            WhileInDoubt = UntilKnown,
            ActionBy = Customer,
            KeepsLedger = true,
        },
        new SagaStep(StepNames.CommitStock, ServiceNames.Stock)
        {
            Pivot = true,
            Undo = "release-stock",
            Ask = Normal,
            AskUndo = UntilDone,
        },
        new SagaStep(StepNames.CapturePayment, ServiceNames.Customer)
        {
            // No undo: the undo of authorize-payment returns all captured money.
            ForwardOnly = true,
            SkipWhen = new(StepNames.AuthorizePayment, Captured),
            Ask = UntilDone,
            WhileInDoubt = UntilKnown,
            KeepsLedger = true,
        })
    {
        CancellableAfterPivot = true,
    };

    /// <summary>Version of new orders.</summary>
    public static SagaDefinition Current => Version1;

    /// <summary>Version of a running saga.</summary>
    public static SagaDefinition Version(int version) => version == Version1.Version
        ? Version1
        : throw new InvalidOperationException($"Version {version} of {Version1.Name} is unknown to this build.");
}
