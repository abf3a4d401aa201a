using Orderwright.Contracts;
using Orderwright.Sagas;

namespace Orderwright.SagaCoordinator.Process;

/// <summary>
/// The order process on a screen:
/// <code>
///                                            ┌─▶ commit-stock     undo: release
/// reserve-stock ─▶ authorize-payment ═pivot═▶┤
/// undo: release    undo: void, refund        └─▶ capture-payment  only where it is not captured yet
/// </code>
/// A confirmed order has its goods held and its money secured. A hold ends with its saga only, so the commit cannot be refused
/// (docs/adr/0036). The steps are put in order by a file: <c>order-process.json</c>, or the operator's own with further steps
/// (docs/adr/0038).
/// </summary>
public static class OrderSaga
{
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

    // An outside participant that waits for a person reports the end itself; these retries are a safety net.
    static readonly RetryPolicy WhileOthersAct = Normal with
    {
        First = TimeSpan.FromSeconds(30), Longest = RetryPolicy.LongestPause, Within = TimeSpan.FromDays(1),
    };

    static readonly SagaStep[] BuiltInSteps =
    [
        new(StepNames.ReserveStock, ServiceNames.Stock)
        {
            Undo = "release-stock",
            Ask = Normal,
            AskUndo = UntilDone,
        },
        new(StepNames.AuthorizePayment, ServiceNames.Customer)
        {
            Pivot = true,
            Undo = "undo-payment",
            Ask = Normal,
            AskUndo = UntilDone,
            WhileWaiting = WhileCustomerActs,
            WhileInDoubt = UntilKnown,
            ActionBy = Customer,
            KeepsLedger = true,
        },
        new(StepNames.CommitStock, ServiceNames.Stock)
        {
            ForwardOnly = true,
            Undo = "release-stock",
            Ask = UntilDone,
            AskUndo = UntilDone,
        },
        new(StepNames.CapturePayment, ServiceNames.Customer)
        {
            // No undo: the undo of authorize-payment returns all captured money.
            ForwardOnly = true,
            SkipWhen = new(StepNames.AuthorizePayment, Captured),
            Ask = UntilDone,
            WhileInDoubt = UntilKnown,
            KeepsLedger = true,
        },
    ];

    /// <summary>The process without a file of the operator's own.</summary>
    public static ProcessFile BuiltIn { get; } = ReadBuiltIn();

    /// <summary>Finds a step that a service of ours carries out; null for any other.</summary>
    public static SagaStep? Find(string name) => Array.Find(BuiltInSteps, step => step.Name == name);

    /// <summary>Steps that every process has, in an order that is allowed.</summary>
    public static IEnumerable<string> Names => BuiltInSteps.Select(step => step.Name);

    /// <summary>Step of an outside participant.</summary>
    /// <param name="name">Name of the step.</param>
    /// <param name="participant">Participant in lists, such as the host.</param>
    /// <param name="isForwardOnly">True after the pivot.</param>
    /// <param name="within">Time for retries of a participant that does not reply; null for the default.</param>
    /// <param name="waitsUpTo">Time for a reply that waits for somebody; null for the default.</param>
    public static SagaStep Outside(
        string name, string participant, bool isForwardOnly, TimeSpan? within, TimeSpan? waitsUpTo) => new(name, participant)
    {
        ForwardOnly = isForwardOnly,
        Ask = (isForwardOnly ? UntilDone : Normal) is var policy && within is { } time ? policy with { Within = time } : policy,
        AskUndo = UntilDone,
        WhileWaiting = waitsUpTo is { } wait ? WhileOthersAct with { Within = wait } : WhileOthersAct,
        WhileInDoubt = UntilKnown,
    };

    static ProcessFile ReadBuiltIn()
    {
        using var text = typeof(OrderSaga).Assembly.GetManifestResourceStream("order-process.json")!;
        var bytes = new byte[text.Length];
        text.ReadExactly(bytes);
        return ProcessFile.Parse(bytes).File!;
    }
}
