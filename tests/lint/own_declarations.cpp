// A plug-in of clang-tidy 14 that lets its checks look at the project's own declarations only. Otherwise they
// look at every declaration of every header that is included, which takes most of the time, and what they
// find in a system's header is then thrown away. (clang-tidy does so by itself from release 22 on.)
//
// No finding of a check that is on is lost: test_own_declarations.py compares. A check that asks for the
// translation unit as a whole would see nothing (misc-no-recursion does; none of those in .clang-tidy).
#include <clang/AST/ASTConsumer.h>
#include <clang/AST/ASTContext.h>
#include <clang/AST/Decl.h>
#include <clang/Basic/SourceManager.h>
#include <clang/Frontend/FrontendAction.h>
#include <clang/Frontend/FrontendPluginRegistry.h>
#include <memory>
#include <string>
#include <vector>

namespace {

// Runs when all is parsed, before the checks.
class OwnDeclarations : public clang::ASTConsumer {
 public:
  void HandleTranslationUnit(clang::ASTContext& context) override {
    std::vector<clang::Decl*> own;
    for (clang::Decl* declaration : context.getTranslationUnitDecl()->decls()) {
      const clang::SourceLocation place = declaration->getLocation();
      if (place.isValid() && !context.getSourceManager().isInSystemHeader(place)) {
        own.push_back(declaration);
      }
    }
    context.setTraversalScope(own);
  }
};

class OwnDeclarationsAction : public clang::PluginASTAction {
 public:
  ActionType getActionType() override { return AddBeforeMainAction; }

  std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& /*compiler*/,
                                                        llvm::StringRef /*file*/) override {
    return std::make_unique<OwnDeclarations>();
  }

  bool ParseArgs(const clang::CompilerInstance& /*compiler*/,
                 const std::vector<std::string>& /*arguments*/) override {
    return true;
  }
};

const clang::FrontendPluginRegistry::Add<OwnDeclarationsAction> kRegistration(
    "own-declarations", "checks look at the project's declarations only");

}  // namespace
