using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.CustomerService.Customers;

/// <summary>Decision about one change; unchanged parts are null.</summary>
public sealed record CustomerDecision(
    Answer Answer, Customer? Customer = null, Credit? Credit = null, Erasure? Erasure = null);

/// <summary>Changes to customers and their store credit. Pure.</summary>
public static class CustomerRules
{
    /// <summary>Highest balance, just below the largest integer that JSON numbers represent exactly in every language.</summary>
    public const long MaxBalanceMinor = 1_000_000_000_000_000;

    public static CustomerDecision Put(CustomerChange.Put put, Customer? existing, DateTimeOffset now)
    {
        if (RefusalOf(existing) is { } refusal) return new(refusal);
        if (put.If is { } condition && !condition.Holds(existing?.Version)) return new(Precondition.Failed());
        if (existing is not null && existing.Name == put.Name && existing.Email == put.Email)
            return new(Respond(StatusCodes.Status200OK, existing));
        var customer = new Customer(
            put.CustomerId, put.Name, put.Email, (existing?.Version ?? 0) + 1, existing?.CreatedAt ?? now, now);
        return new(
            Respond(existing is null ? StatusCodes.Status201Created : StatusCodes.Status200OK, customer), customer);
    }

    /// <param name="add">The requested top-up.</param>
    /// <param name="existing">The customer, erased or not; null when unknown.</param>
    /// <param name="balanceMinor">Balance in the credit's currency.</param>
    /// <param name="referenceUsed">True when the customer already has a credit with this reference.</param>
    /// <param name="id">Id of the new credit.</param>
    /// <param name="now">The batch's time.</param>
    public static CustomerDecision AddCredit(
        CustomerChange.AddCredit add, Customer? existing, long balanceMinor, bool referenceUsed, Guid id,
        DateTimeOffset now)
    {
        if (RefusalOf(existing) is { } refusal) return new(refusal);
        if (existing is null) return new(Problem.NotFound("customer"));
        if (referenceUsed)
            return new(Problem.Conflict(
                "duplicate_reference", "This customer already has a credit with this reference; nothing was added."));
        if (add.AmountMinor > MaxBalanceMinor - balanceMinor)
            return new(Problem.Conflict("balance_out_of_range", $"The balance would exceed {MaxBalanceMinor}."));
        var credit = new Credit(id, add.CustomerId, add.Currency, add.AmountMinor, add.Reference, now);
        return new(
            Answer.Json(StatusCodes.Status201Created, CreditResponse.Of(credit), CustomerJson.Default.CreditResponse),
            Credit: credit);
    }

    /// <summary>
    /// Begins to remove name and email permanently (<see cref="ErasureRules"/>). A repeated request joins the running erasure, or
    /// gets the report of the finished one.
    /// </summary>
    /// <param name="erase">The request.</param>
    /// <param name="existing">The customer, erased or not; null when unknown.</param>
    /// <param name="erasure">The running or finished erasure.</param>
    /// <param name="balances">Store credit above zero.</param>
    /// <param name="hasOpenPayments">A payment of the customer is not settled.</param>
    /// <param name="id">Id of a new erasure.</param>
    /// <param name="caller">Name of the caller.</param>
    /// <param name="now">The batch's time.</param>
    public static CustomerDecision Erase(
        CustomerChange.Erase erase, Customer? existing, Erasure? erasure, IEnumerable<(string Currency, long Amount)> balances,
        bool hasOpenPayments, Guid id, string caller, DateTimeOffset now)
    {
        if (existing is null) return new(Problem.NotFound("customer"));
        if (erase.If is { } condition && !condition.Holds(existing.Version)) return new(Precondition.Failed());
        if (erasure is not null && existing.ErasureId == erasure.Id) return new(Respond(erasure));
        if (existing.ErasedAt is not null) return new(Gone);
        if (BalanceRefusal(balances) is { } refusal) return new(refusal);
        if (hasOpenPayments) return new(OpenPayments);
        var begun = ErasureRules.Begin(existing, id, caller, now);
        return new(Respond(begun.Erasure), begun.Customer, Erasure: begun.Erasure);
    }

    /// <summary>Report on an erasure: what was erased, what is kept and why; 503 until order-service has answered.</summary>
    public static Answer Respond(Erasure erasure) => erasure.State switch
    {
        ErasureStates.Erased => Answer.Json(
            StatusCodes.Status200OK, ErasureResponse.Of(erasure), CustomerJson.Default.ErasureResponse),
        ErasureStates.Refused when erasure.OpenOrders > 0 => OpenOrders(erasure),
        ErasureStates.Refused => MoneyArrived,
        _ => Running,
    };

    /// <summary>The erasure waits for order-service; nothing is erased yet.</summary>
    public static Answer Running => Problem.Of(
        StatusCodes.Status503ServiceUnavailable, "erasure_running",
        "order-service has not answered yet whether the customer has open orders. Repeat the request for the result.") with
    {
        RetryAfter = TimeSpan.FromSeconds(5),
    };

    static Answer OpenOrders(Erasure erasure) => Problem.Of(
        StatusCodes.Status409Conflict, "open_orders",
        $"{erasure.OpenOrders} orders of this customer are undecided, or confirmed and not fulfilled: fulfil, complete or cancel "
        + "them first.",
        orderId: erasure.OpenOrder?.ToString("D"));

    static Answer OpenPayments => Problem.Conflict("open_orders", "A payment of this customer is not settled yet.");

    static Answer MoneyArrived => Problem.Conflict(
        "has_balance", "Store credit or a payment arrived while the erasure was decided. Pay it back, and repeat the request.");

    // The money would belong to nobody.
    static Answer? BalanceRefusal(IEnumerable<(string Currency, long Amount)> balances) =>
        string.Join(", ", balances.Select(balance => Contracts.Money.Format(balance.Amount, balance.Currency)))
            is { Length: > 0 } credit
            ? Problem.Conflict(
                "has_balance",
                $"The customer has store credit of {credit}, which erasing would take away. Let the customer spend the credit "
                + "first; a payout is booked as an order paid from it.")
            : null;

    /// <summary>Refuses a change of an erased customer, or of one being erased; null for others and unknown ones.</summary>
    public static Answer? RefusalOf(Customer? existing) => existing switch
    {
        { ErasedAt: not null } => Problem.Conflict(
            "erased", "The customer was erased, and an erased id is not used again. Use another id for another person."),
        { ErasureId: not null } => Problem.Conflict(
            "erasure_running", "An erasure of the customer is being decided. Repeat the request in a moment."),
        _ => null,
    };

    /// <summary>410 for reads of an erased customer.</summary>
    public static Answer Gone => Problem.Of(
        StatusCodes.Status410Gone, "erased", "The customer was erased. The id is not used again.");

    public static Answer Respond(int status, Customer customer) =>
        Answer.Json(
            status, CustomerResponse.Of(customer), CustomerJson.Default.CustomerResponse,
            status == StatusCodes.Status201Created ? $"/api/v1/customers/{customer.Id}" : null, customer.Version);
}
