using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Orderwright.Http;

namespace Orderwright.Hosting.Http;

/// <summary>Limits of requests at a process with keys. A refused request gets 429 with <c>Retry-After</c>.</summary>
public sealed class RateSettings
{
    /// <summary>Requests per second of a key, on average over 10 s.</summary>
    [Range(1, 1_000_000)]
    public int KeyRate { get; set; } = 5_000;

    /// <summary>
    /// Requests per second of an address without a key, on average over 10 s: console pages, signing in, requests that lack a
    /// key. Callers behind a proxy share the address of the proxy.
    /// </summary>
    [Range(1, 1_000_000)]
    public int AddressRate { get; set; } = 100;

    /// <summary>Webhooks per second of an address, on average over 10 s. A gateway sends a refused webhook again.</summary>
    [Range(1, 1_000_000)]
    public int WebhookRate { get; set; } = 1_000;

    /// <summary>Refused keys per minute of an address. Beyond, wrong keys get 429 unseen; valid keys are served.</summary>
    [Range(1, 1_000_000)]
    public int WrongKeyRate { get; set; } = 60;
}

/// <summary>Budgets of keys and addresses. Health probes have none.</summary>
sealed class RateLimits(RateSettings settings, TimeProvider time)
{
    const int MostCallers = 10_000;
    static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    readonly RateLimit ofKey = new("key", settings.KeyRate * (int)Window.TotalSeconds, Window);
    readonly ConcurrentDictionary<string, Budget> ofCallers = new();
    readonly AddressBudgets ofAddress = new(new("address", settings.AddressRate * (int)Window.TotalSeconds, Window), time);
    readonly AddressBudgets ofWebhooks = new(new("webhook", settings.WebhookRate * (int)Window.TotalSeconds, Window), time);
    readonly AddressBudgets ofWrongKeys = new(new("wrong-key", settings.WrongKeyRate, TimeSpan.FromMinutes(1)), time);

    /// <summary>Takes a request from the budget of a key; returns the refusal, or null.</summary>
    public Answer? Take(HttpContext http, Budget key, CallBudget budget) =>
        budget != CallBudget.None && key.Take(ofKey, time) is { } wait ? Refusal(http, ofKey, wait) : null;

    /// <summary>Takes a request from the budget of a caller with a token; returns the refusal, or null.</summary>
    public Answer? Take(HttpContext http, Caller caller, CallBudget budget)
    {
        if (ofCallers.Count >= MostCallers) ofCallers.Clear();
        return Take(http, ofCallers.GetOrAdd(caller.Name, _ => new()), budget);
    }

    /// <summary>Takes a request without a valid key from the budget of its address; returns the refusal, or null.</summary>
    public Answer? Take(HttpContext http, CallBudget budget) => budget switch
    {
        CallBudget.None => null,
        CallBudget.Webhook => Take(http, ofWebhooks),
        _ => Take(http, ofAddress),
    };

    /// <summary>Takes a wrong key from the budget of its address; returns the refusal, or null.</summary>
    public Answer? TakeWrongKey(HttpContext http) => Take(http, ofWrongKeys);

    static Answer? Take(HttpContext http, AddressBudgets budgets) =>
        budgets.Take(http.Connection.RemoteIpAddress) is { } wait ? Refusal(http, budgets.Limit, wait) : null;

    static Answer Refusal(HttpContext http, RateLimit limit, TimeSpan wait)
    {
        var seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
        http.Response.Headers["RateLimit-Policy"] = limit.Policy;
        http.Response.Headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture, $"\"{limit.Name}\";r=0;t={seconds}");
        return Problem.Of(
            StatusCodes.Status429TooManyRequests, ProblemCodes.RateLimited,
            $"The limit of {limit.Quota} requests in {limit.Window.TotalSeconds} s is reached. Retry later.")
            with { RetryAfter = wait };
    }
}
