using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.CustomerService.Customers;

/// <summary>What is decided about one change. What stays as it is, is null.</summary>
public sealed record CustomerDecision(Answer Answer, Customer? Customer = null, Credit? Credit = null);

/// <summary>Customers and their store credit, as the API changes them. Pure.</summary>
public static class CustomerRules
{
    /// <summary>
    /// The highest balance: what a JSON number says exactly in every language is a little more.
    /// </summary>
    public const long MostBalanceMinor = 1_000_000_000_000_000;

    public static CustomerDecision Put(CustomerChange.Put put, Customer? existing, DateTimeOffset now)
    {
        var living = existing is { ErasedAt: null } ? existing : null;
        if (put.If is { } condition && !condition.Holds(living?.Version)) return new(Precondition.Failed());
        if (living is not null && living.Name == put.Name && living.Email == put.Email)
            return new(Tell(StatusCodes.Status200OK, living));
        var customer = new Customer(
            put.CustomerId, put.Name, put.Email, (existing?.Version ?? 0) + 1, living?.CreatedAt ?? now, now);
        return new(
            Tell(living is null ? StatusCodes.Status201Created : StatusCodes.Status200OK, customer), customer);
    }

    /// <param name="add">What is asked.</param>
    /// <param name="existing">The customer, if there ever was one.</param>
    /// <param name="balanceMinor">In the credit's currency.</param>
    /// <param name="referenceUsed">This customer has a credit with this reference.</param>
    /// <param name="id">For the new credit.</param>
    /// <param name="now">The batch's moment.</param>
    public static CustomerDecision AddCredit(
        CustomerChange.AddCredit add, Customer? existing, long balanceMinor, bool referenceUsed, Guid id,
        DateTimeOffset now)
    {
        if (existing is not { ErasedAt: null }) return new(Problem.NotFound("customer"));
        if (referenceUsed)
            return new(Problem.Conflict(
                "duplicate_reference", "This customer has a credit with this reference; nothing was added."));
        if (add.AmountMinor > MostBalanceMinor - balanceMinor)
            return new(Problem.Conflict("balance_out_of_range", $"No balance goes over {MostBalanceMinor}."));
        var credit = new Credit(id, add.CustomerId, add.Currency, add.AmountMinor, add.Reference, now);
        return new(
            Answer.Json(StatusCodes.Status201Created, CreditView.Of(credit), CustomerJson.Default.CreditView),
            Credit: credit);
    }

    /// <summary>
    /// Takes name and e-mail away for good. The id stays with its ledger, and may be used again.
    /// </summary>
    public static CustomerDecision Erase(
        CustomerChange.Erase erase, Customer? existing, bool hasOpenOrders, DateTimeOffset now)
    {
        if (existing is not { ErasedAt: null }) return new(Problem.NotFound("customer"));
        if (erase.If is { } condition && !condition.Holds(existing.Version)) return new(Precondition.Failed());
        if (hasOpenOrders)
            return new(Problem.Conflict("open_orders", "A payment of this customer is not settled yet."));
        return new(
            Answer.NoContent(),
            existing with
            {
                Name = null, Email = null, Version = existing.Version + 1, UpdatedAt = now, ErasedAt = now,
            });
    }

    public static Answer Tell(int status, Customer customer) =>
        Answer.Json(
            status, CustomerView.Of(customer), CustomerJson.Default.CustomerView,
            status == StatusCodes.Status201Created ? $"/api/v1/customers/{customer.Id}" : null, customer.Version);
}
