using Microsoft.Playwright;

namespace Orderwright.ConsoleTests;

/// <summary>Identity provider written by others, with a person "ann" in the role "team".</summary>
public interface IIdentityProvider : IAsyncDisposable
{
    string Url { get; }

    /// <summary>File of issuers for this provider.</summary>
    string Settings { get; }

    /// <summary>Answers the questions of the provider's own pages.</summary>
    Task SignInAsync(IPage page);
}
