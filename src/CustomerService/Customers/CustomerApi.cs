using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.Http.Approvals;

namespace Orderwright.CustomerService.Customers;

/// <summary>Customers, their balances and credits over HTTP: <c>/api/v1/customers</c>.</summary>
public sealed partial class CustomerApi(IDatabase database, SqlCatalog sql, ChangeCustomers changes, TimeProvider time)
{
    static readonly TimeSpan ShortestPoll = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(8);

    public const int MaxNameLength = 200;
    public const int MaxEmailLength = 254;
    public const int MaxReferenceLength = 200;

    public void Map(IEndpointRouteBuilder routes)
    {
        var customers = routes.MapGroup("/api/v1/customers").WithTags("customers").Require(Scopes.CustomersRead);
        customers.MapGet("", (Delegate)ListAsync).WithName("listCustomers").Lists()
            .WithSummary("List customers by id").Produces<Page<CustomerResponse>>();
        customers.MapGet("/{id}", GetAsync).WithName("getCustomer").WithSummary("Get a customer")
            .Produces<CustomerResponse>().ProducesProblem(StatusCodes.Status410Gone).Conditional();
        customers.MapPut("/{id}", PutAsync).Require(Scopes.Customers).WithName("putCustomer")
            .WithSummary("Create or replace a customer")
            .Accepts<CustomerRequest>("application/json")
            .Produces<CustomerResponse>().Produces<CustomerResponse>(StatusCodes.Status201Created).Conditional();
        customers.MapDelete("/{id}", EraseAsync).Require(Scopes.Customers).WithName("eraseCustomer")
            .WithSummary("Erase a customer's personal data, for good")
            .WithDescription(
                "The response lists what was erased, and what is kept and why. 409 `has_balance` with store credit; 409 " +
                "`open_orders` while an order is undecided, or confirmed and not fulfilled, or a payment is not settled. The " +
                "id is never used again: 410 `erased` for reads, 409 `erased` for changes and orders. 503 `erasure_running` " +
                "while order-service has not answered: nothing is erased yet, and the repeated request returns the result.")
            .Produces<ErasureResponse>().Conditional();
        customers.MapGet("/{id}/balances", BalancesAsync).Require(Scopes.CreditRead).WithName("listBalances")
            .WithSummary("List the store credit of a customer by currency").Produces<Page<BalanceResponse>>()
            .ProducesProblem(StatusCodes.Status410Gone);
        customers.MapPost("/{id}/credits", CreditAsync).Require(Scopes.Credit).WithName("addCredit")
            .WithSummary("Add store credit")
            .Accepts<CreditRequest>("application/json").Produces<CreditResponse>(StatusCodes.Status201Created)
            .Produces<ApprovalResponse>(StatusCodes.Status202Accepted)
            .WithDescription(
                "202 above the amount of `ORDERWRIGHT_APPROVAL_ABOVE`: the credit waits for a second person, see `/approvals`.");
    }

    async Task<IResult> ListAsync(HttpContext http)
    {
        var query = new ListQuery(http);
        if (query.Refusal is { } refusal) return refusal;
        var customers = await database.ReadAsync(
            read => read.QueryAsync(
                sql["list_customers"], SqlArgs.With("after", query.Position ?? "").And("most", query.Limit + 1),
                row => CustomerResponse.Of(CustomerStore.ReadCustomer(row)), http.RequestAborted),
            http.RequestAborted);
        return Answer.Json(
            StatusCodes.Status200OK, Pages.Of(customers, query.Limit, customer => customer.Id),
            CustomerJson.Default.PageCustomerResponse);
    }

    async Task<IResult> GetAsync(string id, HttpContext http)
    {
        if (new Check().Id("id", id).Refusal is { } refusal) return refusal;
        return await database.ReadAsync(read => FindAsync(read, id, http), http.RequestAborted) switch
        {
            null => Problem.NotFound("customer"),
            { ErasedAt: not null } => CustomerRules.Gone,
            var customer => CustomerRules.Respond(StatusCodes.Status200OK, customer),
        };
    }

    async Task<IResult> PutAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, CustomerJson.Default.CustomerRequest);
        if (command is null) return refusal!;
        var (name, email) = command.Body;
        var check = new Check().Id("id", id).Text("/name", name, MaxNameLength);
        if (email is not null && (email.Length > MaxEmailLength || !LooseEmail().IsMatch(email)))
            check.Fail("/email", "invalid_email", $"An e-mail address of at most {MaxEmailLength} characters.");
        return check.Refusal ?? await changes.SubmitAsync(command.For<CustomerRequest, CustomerChange>(
            new CustomerChange.Put(id, name, email, Precondition.Read(http))));
    }

    async Task<IResult> EraseAsync(string id, HttpContext http)
    {
        if (new Check().Id("id", id).Refusal is { } invalid) return invalid;
        var (command, refusal) = Http.Commands.WithoutBody<CustomerChange>(
            http, new CustomerChange.Erase(id, Precondition.Read(http)));
        if (command is null) return refusal!;
        var answer = await changes.SubmitAsync(command);
        return answer.Status == StatusCodes.Status503ServiceUnavailable ? await DecidedAsync(id, answer, http) : answer;
    }

    // order-service usually answers within milliseconds. Any instance may receive the answer, so the database is asked.
    async Task<Answer> DecidedAsync(string id, Answer running, HttpContext http)
    {
        for (var (waited, pause) = (TimeSpan.Zero, ShortestPoll); waited < LongestPoll; waited += pause, pause += ShortestPoll)
        {
            var erasure = (await database.QueryAsync(
                sql["latest_erasure"], SqlArgs.With("customer_id", id), CustomerStore.ReadErasure, http.RequestAborted))
                .SingleOrDefault();
            // The number of orders arrives with the second answer, a moment after the decision.
            if (erasure is { State: ErasureStates.Refused } or { State: ErasureStates.Erased, Orders: not null })
                return CustomerRules.Respond(erasure);
            await Task.Delay(pause, time, http.RequestAborted);
        }
        return running;
    }

    async Task<IResult> BalancesAsync(string id, HttpContext http)
    {
        if (new Check().Id("id", id).Refusal is { } refusal) return refusal;
        var (customer, balances) = await database.ReadAsync(
            async read => (
                await FindAsync(read, id, http),
                await read.QueryAsync(
                    sql["list_balances"], SqlArgs.With("customer_id", id),
                    row => new BalanceResponse(row.Text("currency"), row.BigInt("amount")), http.RequestAborted)),
            http.RequestAborted);
        return customer switch
        {
            null => Problem.NotFound("customer"),
            { ErasedAt: not null } => CustomerRules.Gone,
            _ => Answer.Json(StatusCodes.Status200OK, new(balances, null), CustomerJson.Default.PageBalanceResponse),
        };
    }

    async Task<IResult> CreditAsync(string id, HttpContext http)
    {
        var (command, refusal) = await Http.Commands.ReadAsync(http, CustomerJson.Default.CreditRequest);
        if (command is null) return refusal!;
        var (amount, currency, reference) = command.Body;
        var check = new Check().Id("id", id)
            .Range("/amount", amount, 1, Check.Most)
            .Currency("/currency", currency)
            .OptionalReference("/reference", reference, MaxReferenceLength);
        return check.Refusal ?? await changes.SubmitAsync(command.For<CreditRequest, CustomerChange>(
            new CustomerChange.AddCredit(id, currency, amount, reference)));
    }

    async Task<Customer?> FindAsync(IQueries read, string id, HttpContext http) =>
        (await read.QueryAsync(
            sql["find_customer"], SqlArgs.With("id", id), CustomerStore.ReadCustomer, http.RequestAborted))
        .SingleOrDefault();

    // Only a delivered message proves an address, so the check is loose.
    [GeneratedRegex(@"^[^\s@\p{C}]{1,64}@[^\s@\p{C}]+$")]
    private static partial Regex LooseEmail();
}
